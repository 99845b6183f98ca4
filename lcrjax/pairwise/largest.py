"""Largest similarity of elements to those of each class of others, in bounded memory."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.numerics.processes import check_process
from lcrjax.numerics.progress import part
from lcrjax.pairwise.distance_blocks import filled, whole_tile
from lcrjax.pairwise.tiling import tile_side
from lcrjax.pairwise.zp import zp
from lcrjax.similarity.base import Similarity, TiledSimilarity, count_elements, pick, taken

_LARGEST_SIDE = 2**11  # of a block of Z that is held at once

Block = Callable[[Int[np.ndarray, " a"], Int[np.ndarray, " b"]], Float[np.ndarray, "a b"]]


def largest_similarities(
    similarity: Similarity,
    elements: Any,
    others: Any,
    classes: Int[np.ndarray, " m"],
    n_classes: int,
) -> Float[np.ndarray, "n C"]:
    """Find how like each element is to the most similar of others, in each of their classes.

    Args:
        similarity: Any that compares elements with others.
        elements: n elements.
        others: m elements.
        classes: Class of each of the others, 0 to C - 1.
        n_classes: C.

    Returns:
        In float32; -inf for a class without elements.

    Raises:
        ValueError: If elements are not what the similarity compares.
    """
    check_process()
    elements, others = taken(similarity, elements), taken(similarity, others, "others")
    n, m = (count_elements(similarity, x) for x in (elements, others))
    side = min(_LARGEST_SIDE, tile_side(max(n, m), _LARGEST_SIDE))
    block = _blocks(similarity, elements, others, side)
    order = np.argsort(classes, kind="stable")
    out, done = np.full((n, n_classes), -np.inf, np.float32), 0
    for start in range(0, m, side):
        some = order[start : start + side]
        own = classes[some]
        firsts = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
        for row in range(0, n, side):
            rows = np.arange(row, min(n, row + side))
            place = np.ix_(rows, own[firsts])
            with part(done / (n * m), (done + len(rows) * len(some)) / (n * m)):
                found = np.maximum.reduceat(block(rows, some), firsts, axis=1)
            done += len(rows) * len(some)
            out[place] = np.maximum(out[place], found)
    return out


def _blocks(similarity: Similarity, elements: Any, others: Any, side: int) -> Block:
    """Blocks of Z, at most `side` on a side.

    What weighs elements itself gives columns by unit vectors, which costs more than a tile.
    """
    if isinstance(similarity, TiledSimilarity):
        alike, own, its = similarity.canonical(elements, others)

        def tile(rows: Int[np.ndarray, " a"], columns: Int[np.ndarray, " b"]) -> np.ndarray:
            z = whole_tile(alike, filled(own, rows, side), filled(its, columns, side))
            return np.asarray(z)[: len(rows), : len(columns)]

        return tile

    def weighed(rows: Int[np.ndarray, " a"], columns: Int[np.ndarray, " b"]) -> np.ndarray:
        unit = jnp.eye(len(columns), dtype=jnp.float32)
        return np.asarray(zp(similarity, pick(elements, rows), unit, pick(others, columns)))

    return weighed
