"""Measurements on a dataset's page: all pairs of elements compared, or of large data a sample."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.data import Dataset
from lcrjax.data.dataset import KINDS
from lcrjax.measures.growing import ALL_PAIRS
from lcrjax.measures.labelled import labelled_diversity, measure
from lcrjax.measures.result import Diversity
from lcrjax.numerics.progress import part, telling
from lcrjax.pairwise import (
    Nearness,
    Neighbours,
    count_close_pairs,
    intrinsic_dimension,
    nearest_neighbours,
    nearness,
    ordinariness,
)
from lcrjax.report.duplicates import OF_NUMBERS
from lcrjax.report.figures.profiles import PROFILE_ORDERS
from lcrjax.similarity import Precomputed, Similarity
from lcrjax.similarity.base import KnowsElements, part_of
from lcrjax.similarity.spec import USUAL, as_similarity, check_similarity

#: Told what is being done, and which share of it.
Progress = Callable[[str, float], None]
#: Viewpoints of the tables; profiles have more.
VIEWPOINTS: tuple[float, ...] = (0.0, 1.0, 2.0, np.inf)
#: Parts of the threshold at which pairs are counted, too.
PARTS: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
#: Elements that are compared with all where all pairs are too many; and for each class at least.
_ROWS, _ROWS_OF_A_CLASS = 4096, 16


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """What all pairs of a dataset's elements say; of images it is said in what follows.

    Of large data some images are drawn, and compared with all: `rows` and `tests`. What follows is
    then of these alone, but for the diversity, which is estimated.

    Attributes:
        word: The similarity, in a word.
        similarity: What that came to mean.
        diversity: Of the training images, at the viewpoints of tables and profiles, ascending.
        rows: Places of the training images that are looked at, ascending.
        tests: Places of the test images that are.
        own: Mean similarity of each training image to those of its class, itself among them.
        test_own: The same of each test image to the other test images of its class.
        test_in_own: Mean similarity of each test image to the training images of its class.
        test: Mean similarity of each test image to all test images.
        test_in: Mean similarity of each test image to all training images.
        train_near: Nearest other training images, of the same and of another class.
        test_near: Nearest training images of the test images, likewise.
        nearness: From what distance on images are near-duplicates; None of elements without
            distances, whose nearest ones are infinitely far.
        pairs_within: Pairs of training images of one class at most `PARTS` of that far apart.
        pairs_across: Pairs of two classes; both None where not all pairs are compared.
    """

    word: str
    similarity: Similarity
    diversity: Diversity
    rows: Int[np.ndarray, " n"]
    tests: Int[np.ndarray, " t"]
    own: Float[np.ndarray, " n"]
    test_own: Float[np.ndarray, " t"]
    test_in_own: Float[np.ndarray, " t"]
    test: Float[np.ndarray, " t"]
    test_in: Float[np.ndarray, " t"]
    train_near: tuple[Neighbours, Neighbours]
    test_near: tuple[Neighbours, Neighbours]
    nearness: Nearness | None
    pairs_within: Int[np.ndarray, " parts"] | None
    pairs_across: Int[np.ndarray, " parts"] | None

    def at(self, q: float | int) -> int:
        """Place of one of `VIEWPOINTS` among those of `diversity`."""
        return int(np.flatnonzero(np.asarray(self.diversity.q) == q)[0])

    @property
    def drawn(self) -> str:
        """Word before elements that are looked at: none where these are all."""
        return "" if self.pairs_within is not None else "drawn "

    @property
    def threshold(self) -> float:
        """RMSD up to which images are near-duplicates; below zero where there are no distances."""
        return -1.0 if self.nearness is None else self.nearness.threshold

    @property
    def test_across(self) -> Float[np.ndarray, " t"]:
        """RMSD of each test image to the nearest training image of another class."""
        return self.test_near[1].rmsd

    @property
    def train_rmsd(self) -> Float[np.ndarray, " n"]:
        """RMSD of each training image to the nearest other one of any class."""
        return np.minimum(*(kind.rmsd for kind in self.train_near))

    @property
    def test_rmsd(self) -> Float[np.ndarray, " t"]:
        """RMSD of each test image to the nearest training image of any class."""
        return np.minimum(*(kind.rmsd for kind in self.test_near))


def measure_dataset(
    dataset: Dataset,
    progress: Progress = lambda stage, share: None,
    *,
    similarity: str | None = None,
    rows: int | None = None,
    exact: bool = False,
) -> Measured:
    """Compare all elements of a dataset: training with training, test with training and with test.

    Args:
        dataset: Its elements, as `lcrjax.data.load` returns them. Without a test set what concerns
            one is empty.
        progress: Told how far this is.
        similarity: In a word, see `lcrjax.parse_similarity`; None for what is usual for the kind.
        rows: Elements to draw and to compare with all, from which diversity is estimated; None for
            all, but of more than `ALL_PAIRS` training and test elements for `_ROWS`.
        exact: Compare all pairs, whatever that takes.

    Raises:
        ValueError: If both rows and exact are given, rows are fewer than two for each class, or the
            similarity is one of another kind of elements, or a matrix though there
            are test elements.
    """
    word = similarity or USUAL[dataset.kind]
    check_similarity(word, dataset.kind)
    many, one = dataset.kind, KINDS[dataset.kind]
    test_split = dataset.test or dataset.train.take(np.empty(0, np.int64))
    labels, test_labels = dataset.train_labels, test_split.labels
    alike, elements, tests = as_similarity(word, dataset.train.elements, test_split.elements)
    if isinstance(alike, Precomputed) and len(test_labels):
        raise ValueError(f"{word} has no similarities of test {many}: leave the test set out")
    some = _drawn(dataset, rows, exact)
    looked, tested = (_chosen(len(x), some) for x in (labels, test_labels))
    progress(f"comparing training {many}", 0.0)

    def class_sums(rows: Any, others: Any, classes: Int[np.ndarray, " m"]) -> np.ndarray:
        """Ordinariness of elements in each class of others, which count 1/m each."""
        weights = np.eye(dataset.n_classes, dtype=np.float32)[classes] / np.float32(len(classes))
        others = None if others is rows else others
        return np.asarray(ordinariness(rows, weights, alike, others=others))

    viewpoints = tuple(sorted({*VIEWPOINTS, *PROFILE_ORDERS}))
    with telling(functools.partial(progress, f"comparing training {many}")):
        if some is None or isinstance(alike, KnowsElements):
            sums = class_sums(elements, elements, labels)
            progress("measuring diversity at all viewpoints", 0.0)
            diversity = labelled_diversity(
                sums, labels.astype(np.int32), dataset.class_names, viewpoints
            )
            train = sums[looked]
        else:
            with part(0, 0.6):
                diversity = measure(
                    elements, labels, similarity=alike, q=viewpoints,
                    class_names=dataset.class_names, rows=some,
                )  # fmt: skip
            with part(0.6, 1):
                train = class_sums(part_of(alike, elements, looked), elements, labels)
    test_in = test = np.empty((0, dataset.n_classes), np.float32)
    if len(test_labels):
        stage = f"comparing test {many} with training {many}"
        progress(stage, 0.0)
        most = len(labels) / (len(labels) + len(test_labels) / 2)
        with telling(functools.partial(progress, stage)):
            with part(0, most):
                mine = tests if some is None else part_of(alike, tests, tested)
                test_in = class_sums(mine, elements, labels)
            with part(most, 1):
                test = class_sums(mine, tests, test_labels)
    near, test_near = (_far(len(x)) for x in (looked, tested))
    judged = None
    counts = None if some is not None else np.zeros((2, len(PARTS)), np.int64)
    if many in OF_NUMBERS:
        own = dataset.train.elements
        stage = f"looking for each training {one}'s nearest"
        progress(stage, 0.0)
        near = _nearest_of(own, labels, looked, lambda share: progress(stage, share))
        if len(test_labels):
            test_stage = f"looking for each test {one}'s nearest"
            progress(test_stage, 0.0)
            test_near = nearest_neighbours(
                test_split.elements[tested],
                test_labels[tested],
                own,
                labels,
                progress=lambda share: progress(test_stage, share),
            )
        rmsd = np.minimum(near[0].rmsd, near[1].rmsd)
        judged = nearness(rmsd, intrinsic_dimension(own), None if some is None else len(labels))
        if some is None:
            progress("counting near-duplicates", 0.0)
            limits = [part * judged.threshold for part in PARTS]
            counts = np.stack(count_close_pairs(own, labels, rmsd <= judged.threshold, limits))
    return Measured(
        word=word,
        similarity=alike,
        diversity=diversity,
        rows=looked,
        tests=tested,
        own=_own(train, labels[looked], labels),
        test_own=_own(test, test_labels[tested], test_labels),
        test_in_own=_own(test_in, test_labels[tested], labels),
        test=test.sum(axis=1),
        test_in=test_in.sum(axis=1),
        train_near=near,
        test_near=test_near,
        nearness=judged,
        pairs_within=None if counts is None else counts[0],
        pairs_across=None if counts is None else counts[1],
    )


def _drawn(dataset: Dataset, rows: int | None, exact: bool) -> int | None:
    """How many elements are drawn; None where all are looked at."""
    if rows is not None and exact:
        raise ValueError(f"rows is {rows}, and all pairs are asked for: give one of them")
    n = len(dataset.train)
    if exact or (rows is None and n + len(dataset.test or ()) <= ALL_PAIRS):
        return None
    some = max(_ROWS, _ROWS_OF_A_CLASS * dataset.n_classes) if rows is None else rows
    return some if some < n else None


def _chosen(count: int, some: int | None) -> Int[np.ndarray, " m"]:
    """Places of so many of some elements, drawn at random, ascending; None for all."""
    if some is None or some >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, some, replace=False))


def _nearest_of(
    elements: Any,
    labels: Int[np.ndarray, " n"],
    looked: Int[np.ndarray, " m"],
    progress: Callable[[float], None],
) -> tuple[Neighbours, Neighbours]:
    """The nearest of some elements among all others: among those not looked at, and the rest."""
    if len(looked) == len(labels):
        return nearest_neighbours(elements, labels, progress=progress)
    rest = np.setdiff1d(np.arange(len(labels)), looked)
    own = elements[looked], labels[looked]
    inside = nearest_neighbours(*own)
    outside = nearest_neighbours(*own, elements[rest], labels[rest], progress=progress)
    return (
        _nearer(inside[0], looked, outside[0], rest),
        _nearer(inside[1], looked, outside[1], rest),
    )


def _nearer(
    one: Neighbours,
    places: Int[np.ndarray, " k"],
    other: Neighbours,
    other_places: Int[np.ndarray, " l"],
) -> Neighbours:
    """The nearer of two neighbours of each element, by its place among all; -1 stays none."""
    index = np.where(
        one.rmsd <= other.rmsd,
        np.where(one.index < 0, -1, places[one.index]),
        np.where(other.index < 0, -1, other_places[other.index]),
    )
    return Neighbours(index, np.minimum(one.rmsd, other.rmsd))


def _far(count: int) -> tuple[Neighbours, Neighbours]:
    """Nearest elements of so many that have no distances: none, infinitely far."""
    none = Neighbours(np.full(count, -1, np.int64), np.full(count, np.inf))
    return none, none


def _own(
    sums: Float[np.ndarray, "n C"], labels: Int[np.ndarray, " n"], others: Int[np.ndarray, " m"]
) -> Float[np.ndarray, " n"]:
    """Mean similarity of each image to the others of its class."""
    shares = np.bincount(others, minlength=sums.shape[1]) / max(len(others), 1)
    return sums[np.arange(len(labels)), labels] / shares[labels]
