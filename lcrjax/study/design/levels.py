"""Subsets of one size and class balance, from the most redundant to the most diverse."""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Integer

from lcrjax.pairwise.columns import Columns
from lcrjax.selection import select
from lcrjax.selection.scale import CHOOSING
from lcrjax.similarity import Similarity
from lcrjax.similarity.base import pick
from lcrjax.similarity.spec import parse_similarity, pixels_for
from lcrjax.study.design.balance import entropy

#: Levels of diversity where nothing is said.
LEVELS = 10
#: What becomes of outliers, the elements that are least ordinary in their class.
OUTLIERS = ("avoided", "sought")
#: Share of a class that counts as outliers.
FLOOR = 0.2
#: What the diverse are chosen by, and what the redundant lack.
_MEASURE = "A_1"
#: Part of a class that a subset is chosen from, in tenths, and the most elements of that.
_POOL_TENTHS, _LARGEST_POOL = 9, 3_000


class Leveled(NamedTuple):
    """Subsets of one size, and where each stands in the design.

    Attributes:
        subsets: Indices into the training elements.
        level: From 0, the most redundant, to the most diverse.
        outliers: One of `OUTLIERS`.
        composition: Number of its class counts among those of its size, from 0.
        checksum: Of its indices, whatever their order: whether a subset is designed again.
    """

    subsets: Int[np.ndarray, "k n"]
    level: Int[np.ndarray, " k"]
    outliers: np.ndarray
    composition: Int[np.ndarray, " k"]
    checksum: Int[np.ndarray, " k"]


def design_levels(
    elements: Any,
    labels: Integer[np.ndarray, " N"],
    compositions: Sequence[Int[np.ndarray, " C"]],
    *,
    kind: str = "images",
    levels: int = LEVELS,
    repetitions: int = 1,
    seed: int = 0,
    name: str = "",
) -> Leveled:
    r"""Choose subsets that differ in diversity and agree in size and class counts.

    Level l of L has $t = 2 l / (L - 1) - 1$, from -1 to 1. A share `|t|` of each class is chosen by
    an aim, and the rest at random. Above 0 the aim is the greatest A_1, by greedy choice and
    exchange; below 0 it is redundancy, the elements most similar to one of them.

    Each level comes twice. Where outliers are avoided, all are chosen from the most ordinary
    four fifths of a class. Where they are sought, all may be chosen: the greatest A_1 then takes
    outliers by itself, and the redundant are those most similar to one of the least ordinary fifth.

    Each composition and repetition has a pool of its own, nine tenths of each class at random but
    3,000 elements of it at most, so that repetitions differ at all levels.

    Args:
        elements: N training elements.
        labels: Their classes.
        compositions: Elements of each class that occurs, all with the same sum, each at most what
            `room` says.
        kind: What the elements are. They are compared as `lcrjax.selection.select` does: images by
            `RMSD(10)`, for by the paper's scale all of a class are much alike.
        levels: Number of levels, at least 2.
        repetitions: Subsets of each composition, level and treatment of outliers.
        seed: Any non-negative whole number.
        name: Name of the dataset; fixes the subsets together with seed and size.

    Returns:
        The subsets by composition, repetition, outliers and level; images in random order.

    References:
        Not in the paper, whose subsets vary in size and class balance alone.
    """
    labels, n = np.asarray(labels), int(compositions[0].sum())
    similarity = parse_similarity(CHOOSING[kind], elements)
    if kind == "images":
        elements = pixels_for(similarity, elements)
    shares = np.linspace(-1, 1, levels)
    cells = [(c, r) for c in range(len(compositions)) for r in range(repetitions)]
    rows: list[tuple[np.ndarray, int, str, int]] = []
    for (c, _), stream in zip(cells, entropy(seed, name, n, 2).spawn(len(cells)), strict=True):
        draw = np.random.default_rng(stream)
        members = [_drawn_pool(np.flatnonzero(labels == x), draw) for x in np.unique(labels)]
        for outliers in OUTLIERS:
            pools = [
                _Pool.of(similarity, elements, places, int(count), outliers)
                for places, count in zip(members, compositions[c], strict=True)
            ]
            for level, share in enumerate(shares.tolist()):
                parts = [pool.choose(share, draw) for pool in pools]
                rows.append((draw.permutation(np.concatenate(parts)), level, outliers, c))
    subsets, level_of, treated, composition = zip(*rows, strict=True)
    return Leveled(
        np.stack(subsets).astype(np.int32),
        np.array(level_of, np.int64),
        np.array(treated),
        np.array(composition, np.int64),
        np.array([_checksum(subset) for subset in subsets], np.int64),
    )


def room(labels: Integer[np.ndarray, " N"]) -> Int[np.ndarray, " C"]:
    """Most elements of each class that a subset may have, so that there is something to choose.

    Two thirds of those that are chosen from where outliers are avoided; one at least.
    """
    counts = np.unique(labels, return_counts=True)[1]
    pool = np.array([_pool_size(int(count)) for count in counts])
    ordinary = pool - np.ceil(FLOOR * (pool - 1)).astype(np.int64)
    return np.maximum(1, 2 * ordinary // 3)


def even_counts(n: int, most: Int[np.ndarray, " C"]) -> Int[np.ndarray, " C"]:
    """Share n elements out among classes as evenly as the most of each allows."""
    counts = np.zeros_like(most)
    for _ in range(n):
        lag = np.where(counts < most, counts, n)
        counts[np.lexsort((-most, lag))[0]] += 1
    return counts


class _Pool(NamedTuple):
    """Elements of one class that a subset is chosen from.

    Attributes:
        places: Of the elements that may be chosen, in the dataset.
        size: How many are.
        diverse: So many of them, each prefix as diverse as it can be found.
        centres: Which of them may be what the redundant are similar to.
        columns: Similarities among them.
    """

    places: Int[np.ndarray, " m"]
    size: int
    diverse: Int[np.ndarray, " size"]
    centres: Int[np.ndarray, " c"]
    columns: Columns

    @classmethod
    def of(
        cls, similarity: Similarity, elements: Any, places: np.ndarray, size: int, outliers: str
    ) -> "_Pool":
        columns = Columns(similarity, pick(elements, places))
        ordinariness = columns.ordinariness(np.full(len(places), 1 / len(places)))
        ordinary = ordinariness >= np.quantile(ordinariness, FLOOR)
        if outliers == "avoided":
            allowed = np.flatnonzero(ordinary)
            centres = np.arange(len(allowed))
            columns = columns.part(allowed)
        else:
            allowed = np.arange(len(places))
            centres = np.flatnonzero(~ordinary) if not ordinary.all() else allowed
        places = places[allowed]
        found = select(pick(elements, places), size, similarity=similarity, objective=_MEASURE)
        return cls(places, size, found.indices, centres, columns)

    def choose(self, share: float, draw: np.random.Generator) -> Int[np.ndarray, " size"]:
        """Choose a share by the aim that its sign says, and the rest at random."""
        by_aim = round(abs(share) * self.size)
        order = self.diverse if share > 0 else self._most_similar(int(draw.choice(self.centres)))
        chosen = order[:by_aim]
        others = np.setdiff1d(np.arange(len(self.places)), chosen)
        rest = draw.choice(others, self.size - by_aim, replace=False)
        return self.places[np.concatenate([chosen, rest]).astype(np.int64)]

    def _most_similar(self, i: int) -> Int[np.ndarray, " m"]:
        """All elements, those most similar to one of them first, and it before all."""
        z = self.columns.column(i).astype(np.float64)
        z[i] = np.inf
        return np.argsort(-z, kind="stable")


def _drawn_pool(places: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return np.sort(draw.permutation(places)[: _pool_size(len(places))])


def _pool_size(count: int) -> int:
    return min(-(-_POOL_TENTHS * count // 10), _LARGEST_POOL)


def _checksum(subset: np.ndarray) -> int:
    return zlib.crc32(np.sort(subset).astype("<i4").tobytes())
