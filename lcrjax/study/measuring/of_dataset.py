"""All added measures of all subsets of one dataset, with several similarities at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from lcrjax import native
from lcrjax.data import Dataset
from lcrjax.pairwise.host_rows import Block, host_blocks
from lcrjax.pairwise.product import zp_of_canonical
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Similarity, TiledSimilarity
from lcrjax.similarity.base import taken
from lcrjax.similarity.spec import as_similarity
from lcrjax.study.feature_table import features
from lcrjax.study.measuring.held_out import (
    Seen,
    held_out_measures,
    look,
    outside,
    viewers,
)
from lcrjax.study.measuring.inside import magnitude, mmd, vendi_2
from lcrjax.study.measuring.names import MEASURES, PAPER_MEASURES, column_of

_PAIRS_AT_ONCE = 2**20  # of an image and a member of any subset, for each thread


def measure_subsets_with(
    dataset: Dataset,
    subsets: Sequence[Int[np.ndarray, " _"]],
    similarities: Sequence[str],
    progress: Callable[[float], None] = lambda share: None,
) -> pd.DataFrame:
    """Measure subsets of a dataset by themselves and against training images that they lack.

    Distances that several similarities share are computed once.

    Args:
        dataset: The dataset.
        subsets: Places of each one's training images.
        similarities: In one word each, such as "rmsd:10".
        progress: Told the share that is done.

    Returns:
        A row for each subset and a column for each measure and similarity.
    """
    elements, labels = dataset.train.elements, np.asarray(dataset.train_labels).astype(np.int64)
    blocks = blocks_of(elements, similarities)
    images = viewers(len(labels), max(map(len, subsets)))
    outsiders = [outside(images, subset) for subset in subsets]
    # Threads of ours; more of them within each product would get in each other's way.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(native.threads()) as pool:
        seen = _look_all(pool, blocks, images, subsets, labels, lambda x: progress(0.6 * x))
        inside = list(pool.map(lambda subset: _inside(blocks, subset), subsets))
    progress(0.75)
    among = _among(blocks, images, outsiders)
    progress(0.8)
    columns: dict[str, pd.Series] = {}
    for k, word in enumerate(similarities):
        rows = []
        for s, (subset, there) in enumerate(zip(subsets, outsiders, strict=True)):
            counts = np.bincount(labels[subset], minlength=dataset.n_classes)
            row = dict.fromkeys(MEASURES, np.nan) | inside[s][k]
            within = row.pop("within")
            if len(there):
                part = Seen(*(x[s, there] for x in seen[k]))
                row |= held_out_measures(part, labels[images[there]], counts)
                row["mmd"] = mmd(within, part.everyone.mean() / len(subset), among[k, s])
            rows.append(row)
        table = pd.DataFrame(rows)
        table[list(PAPER_MEASURES)] = _paper(elements, labels, subsets, word)
        columns |= {column_of(name, word): table[name] for name in MEASURES}
        progress(0.8 + 0.2 * (k + 1) / len(similarities))
    return pd.DataFrame(columns)


def blocks_of(elements: Any, similarities: Sequence[Any]) -> list[Block]:
    """What computes blocks of Z, in float64 where the host knows the similarity.

    Args:
        elements: The elements.
        similarities: Words, or similarities that take the elements as they are.
    """
    parsed: list[tuple[Similarity, Any]] = []
    in_tiles: dict[int, tuple[TiledSimilarity, Any, Any]] = {}
    for k, word in enumerate(similarities):
        similarity, own, _ = as_similarity(word, elements)
        own = taken(similarity, own)
        if isinstance(similarity, TiledSimilarity):
            similarity, own, _ = in_tiles[k] = similarity.canonical(own, None)
        parsed.append((similarity, own))
    tiled = host_blocks([z for z, *_ in in_tiles.values()], [x for _, x, *_ in in_tiles.values()])
    known = dict(zip(in_tiles, tiled, strict=True))
    return [known.get(k) or _by_weighing(*pair) for k, pair in enumerate(parsed)]


def _by_weighing(similarity: Similarity, elements: Any) -> Block:
    """Blocks by the one product that every similarity has: each element weighed alone."""

    def part(places: Int[np.ndarray, " a"]) -> Any:
        if isinstance(elements, list | tuple) and not isinstance(similarity, TiledSimilarity):
            return [elements[i] for i in places]
        return jax.tree.map(lambda x: x[places], elements)

    def block(i: Int[np.ndarray, " a"], j: Int[np.ndarray, " b"]) -> Float[np.ndarray, "a b"]:
        alone = jnp.eye(len(j), dtype=jnp.float32)
        if isinstance(similarity, TiledSimilarity):
            return np.asarray(zp_of_canonical(similarity, part(i), part(j), alone), np.float64)
        return np.asarray(zp(similarity, part(i), alone, part(j)), np.float64)

    return block


def _look_all(
    pool: ThreadPoolExecutor,
    blocks: Sequence[Block],
    images: np.ndarray,
    subsets: Sequence[np.ndarray],
    labels: np.ndarray,
    progress: Callable[[float], None],
) -> list[Seen]:
    """What all images see of all subsets with each similarity, some images at a time."""
    union = np.unique(np.concatenate(subsets))
    members = [
        [
            (int(c), np.searchsorted(union, subset[labels[subset] == c]))
            for c in np.unique(labels[subset])
        ]
        for subset in subsets
    ]
    seen = [Seen.nothing(len(subsets), len(images)) for _ in blocks]
    step = max(1, _PAIRS_AT_ONCE // len(union))
    starts = range(0, len(images), step)

    def some(start: int) -> list[Seen]:
        part = images[start : start + step]
        return [look(block, part, union, members, labels) for block in blocks]

    for done, (start, found) in enumerate(zip(starts, pool.map(some, starts), strict=True), 1):
        for whole, part in zip(seen, found, strict=True):
            for row, new in zip(whole, part, strict=True):
                row[:, start : start + step] = new
        progress(done / len(starts))
    return seen


def _inside(blocks: Sequence[Block], subset: np.ndarray) -> list[dict[str, float]]:
    """Measures of a subset alone with each similarity, and the mean of its matrix."""
    found = []
    for block in blocks:
        z = block(subset, subset)
        row = {"vendi_2": vendi_2(z), "magnitude": magnitude(z), "within": float(z.mean())}
        found.append(row)
    return found


def _among(
    blocks: Sequence[Block], images: np.ndarray, outsiders: Sequence[np.ndarray]
) -> Float[np.ndarray, "k s"]:
    """Mean similarity among the images that each subset is held against."""
    marks = np.zeros((len(images), len(outsiders)))
    for s, there in enumerate(outsiders):
        marks[there, s] = 1 / max(1, len(there))
    step = max(1, _PAIRS_AT_ONCE // len(images))
    total = np.zeros((len(blocks), len(outsiders)))
    for start in range(0, len(images), step):
        rows = slice(start, start + step)
        some = images[rows]
        for k, block in enumerate(blocks):
            total[k] += np.einsum("ts,ts->s", marks[rows], block(some, images) @ marks)
    return total


def _paper(
    elements: Any, labels: np.ndarray, subsets: Sequence[np.ndarray], word: str
) -> np.ndarray:
    """The paper's measures; subsets of one size are measured together."""
    sizes = np.array([len(subset) for subset in subsets])
    found = np.empty((len(subsets), len(PAPER_MEASURES)))
    for n in np.unique(sizes):
        (places,) = np.nonzero(sizes == n)
        table = features(elements, labels, [subsets[int(i)] for i in places], similarity=word)
        found[places] = table[list(PAPER_MEASURES)].to_numpy()
    return found
