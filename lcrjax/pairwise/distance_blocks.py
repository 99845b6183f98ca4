"""Near-duplicates by distances that come in blocks: of texts, and of rows of a table."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.numerics.memory import check_room
from lcrjax.pairwise.close_pairs import BYTES_OF_PAIR
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import Levenshtein, TiledSimilarity

#: Distances of the elements at some places from the others at some.
Distances = Callable[[Int[np.ndarray, " a"], Int[np.ndarray, " b"]], Float[np.ndarray, "a b"]]
_DECIMALS = 6  # what float32 knows of a similarity


def distances_of(
    similarity: Levenshtein | TiledSimilarity,
    elements: Any,
    others: Any = None,
    *,
    most: float | int = np.inf,
) -> Distances:
    """Distances 1 - Z of elements from others, None for the elements themselves.

    Those of tiled similarities, computed in float32, are rounded to six decimals.

    Args:
        similarity: That of which they are.
        elements: n elements, as it takes them.
        others: m of them.
        most: What is further apart may count as 1, which saves work.

    Raises:
        ValueError: If the similarity does not take the elements.
    """
    if isinstance(similarity, Levenshtein):
        return similarity.distances(elements, others, most=most)
    similarity, rows, columns = similarity.canonical(elements, others)
    columns = rows if columns is None else columns

    def block(first: Int[np.ndarray, " a"], second: Int[np.ndarray, " b"]) -> np.ndarray:
        side = tile_side(max(len(first), len(second)), of="near-duplicates")
        here, there = filled(rows, first, side), filled(columns, second, side)
        z = np.asarray(whole_tile(similarity, here, there), np.float64)
        return np.round(1 - z[: len(first), : len(second)], _DECIMALS)

    return block


def two_nearest(
    distances: Distances, n: int, *, progress: Callable[[float], None] = lambda share: None
) -> Float[np.ndarray, "2 n"]:
    """Distance of each of n elements to its nearest and second nearest other one.

    Args:
        distances: Those of the elements from each other.
        n: Number of elements.
        progress: Called with the share that is done.

    Returns:
        Both, infinite where there are no such others.
    """
    nearest = np.full((n, 2), np.inf)
    side = tile_side(n, of="near-duplicates")
    for i in range(0, n, side):
        for j in range(i, n, side):
            first, second = np.arange(i, min(i + side, n)), np.arange(j, min(j + side, n))
            d = distances(first, second)
            if i == j:
                np.fill_diagonal(d, np.inf)
            for own, its in ((first, d), (second, d.T))[: 1 if i == j else 2]:
                known = np.concatenate([nearest[own], its], axis=1)
                nearest[own] = np.partition(known, 1, axis=1)[:, :2]
        progress(min(1.0, (i + side) / n))
    return nearest.T


def list_close(
    distances: Distances,
    first: Int[np.ndarray, " n"],
    second: Int[np.ndarray, " m"] | None,
    threshold: float | int,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """List the pairs up to a distance, each pair once, as `list_close_pairs` does of images.

    Args:
        distances: Those of elements from others.
        first: Places of the elements that are compared.
        second: Places of the others that they are compared with; None for each other.
        threshold: Distance, >= 0.
        progress: Called with the share that is done.

    Returns:
        Places of both, the lower one first where they are compared with each other; and distances.

    Raises:
        ValueError: If there are more pairs than memory for them.
    """
    same = second is None
    second = first if second is None else second
    side = tile_side(max(len(first), len(second)), of="near-duplicates")
    nothing = np.empty(0, np.int64)
    found, total = [(nothing, nothing, np.empty(0))], 0
    for i in range(0, len(first), side):
        for j in range(i if same else 0, len(second), side):
            rows, columns = first[i : i + side], second[j : j + side]
            d = distances(rows, columns)
            a, b = np.nonzero(d <= threshold)
            if same and i == j:
                a, b = a[a < b], b[a < b]
            total += len(a)
            check_room(BYTES_OF_PAIR * total, "near-duplicates")
            found.append((rows[a], columns[b], d[a, b]))
        progress(min(1.0, (i + side) / len(first)))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]


def filled(elements: Any, places: Int[np.ndarray, " k"], side: int) -> Any:
    """Elements at some places, the last of them again up to a tile."""
    index = np.append(places, np.full(side - len(places), places[-1]))
    return jax.tree.map(lambda x: x[index], elements)


@jax.jit
def whole_tile(similarity: TiledSimilarity, rows: Any, columns: Any) -> Float[Array, "side side"]:
    """Similarities of a tile of canonical elements, different ones, in float32."""
    here, there = similarity.prepare_both(rows, columns)
    return similarity.tile(here, there, False, np.float32)
