"""Near-duplicates between two datasets."""

import numpy as np
from jaxtyping import Int

from lcrjax.pairwise import intrinsic_dimension, list_close_pairs, nearest_neighbours, nearness
from lcrjax.selection.comparison import NearPairs
from lcrjax.selection.sides import WITH_DISTANCES, Side


def near_threshold(sides: tuple[Side, ...]) -> float | None:
    """Choose from what distance on elements are near-duplicates: near in each of the datasets.

    Returns:
        The least of what `lcrjax.pairwise.nearness` says of each by itself; None of elements that
        have no distances.
    """
    if sides[0].kind not in WITH_DISTANCES:
        return None
    found = []
    for side in sides:
        near = nearest_neighbours(side.elements, np.zeros(len(side), np.int64))[0]
        found.append(nearness(near.rmsd, intrinsic_dimension(side.elements)).threshold)
    return min(found)


def near_pairs(first: Side, second: Side, threshold: float) -> NearPairs:
    """List the pairs of an element of each side that are nearly the same.

    Raises:
        ValueError: If there are more pairs than memory for them.
    """
    rows, columns, distance = list_close_pairs(
        first.elements, np.ones(len(first), bool), threshold, second.elements
    )
    order = np.argsort(distance, kind="stable")
    rows, columns = rows[order], columns[order]
    across = np.zeros(len(rows), bool)
    if first.labels is not None and second.labels is not None:
        across = _words(first, rows) != _words(second, columns)
    return NearPairs(threshold, rows, columns, distance[order], across)


def _words(side: Side, places: Int[np.ndarray, " p"]) -> np.ndarray:
    assert side.labels is not None
    return np.array(side.class_names, object)[side.labels[places]]
