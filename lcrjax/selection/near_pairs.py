"""Near-duplicates between two datasets."""

from typing import Any

import numpy as np
from jaxtyping import Int

from lcrjax.numerics.progress import Tell
from lcrjax.pairwise import intrinsic_dimension, list_close_pairs, nearest_neighbours, nearness
from lcrjax.pairwise.close_pairs import dimension_of
from lcrjax.pairwise.distance_blocks import distances_of, list_close, two_nearest
from lcrjax.selection.comparison import NearPairs
from lcrjax.selection.sides import OF_NUMBERS, Side, joined
from lcrjax.similarity import Gower, Levenshtein


def distances_by(sides: list[Side]) -> Any:
    """The similarity whose distances 1 - Z tell near-duplicates; None where RMSD does.

    Args:
        sides: All sides; of rows, columns have the ranges of all.
    """
    if sides[0].kind in OF_NUMBERS:
        return None
    return Gower.of(joined(sides)) if sides[0].kind == "rows" else Levenshtein()


def near_threshold(
    sides: tuple[Side, ...], by: Any, *, progress: Tell = lambda share: None
) -> float:
    """Choose from what distance on elements are near-duplicates: near in each of the datasets.

    Args:
        sides: Both datasets.
        by: As `distances_by` says.
        progress: Called with the share that is done.

    Returns:
        The least of what `lcrjax.pairwise.nearness` says of each by itself.

    Raises:
        ImportError: If `rapidfuzz`, which compares texts, is not installed.
    """
    found: list[float] = []

    def tell(share: float) -> None:
        progress((len(found) + share) / len(sides))

    for side in sides:
        if by is None:
            alike = np.zeros(len(side), np.int64)
            near = nearest_neighbours(side.elements, alike, progress=tell)[0].rmsd
            dimension = intrinsic_dimension(side.elements)
        else:
            apart = distances_of(by, side.elements)
            near, second = two_nearest(apart, len(side), progress=tell)
            dimension = dimension_of(near, second)
        found.append(nearness(near, dimension).threshold)
    return min(found)


def near_pairs(
    first: Side, second: Side, threshold: float, by: Any, *, progress: Tell = lambda share: None
) -> NearPairs:
    """List the pairs of an element of each side that are nearly the same.

    Raises:
        ValueError: If there are more pairs than memory for them.
    """
    if by is None:
        every = np.ones(len(first), bool)
        found = list_close_pairs(
            first.elements, every, threshold, second.elements, progress=progress
        )
    else:
        distances = distances_of(by, first.elements, second.elements, most=threshold)
        places = np.arange(len(first)), np.arange(len(second))
        found = list_close(distances, *places, threshold, progress=progress)
    rows, columns, distance = found
    order = np.argsort(distance, kind="stable")
    rows, columns = rows[order], columns[order]
    across = np.zeros(len(rows), bool)
    if first.labels is not None and second.labels is not None:
        across = _words(first, rows) != _words(second, columns)
    return NearPairs(threshold, rows, columns, distance[order], across)


def _words(side: Side, places: Int[np.ndarray, " p"]) -> np.ndarray:
    assert side.labels is not None
    return np.array(side.class_names, object)[side.labels[places]]
