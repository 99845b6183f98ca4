"""Largest similarity of elements to those of each class of others, in bounded memory."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.numerics.processes import check_process
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.columns import pick
from lcrjax.pairwise.tiling import tile_side
from lcrjax.pairwise.zp import zp, zp_of_canonical
from lcrjax.similarity.base import Similarity, TiledSimilarity, count_elements, taken

_COLUMNS, _ROWS = 2**10, 2**13  # of Z that are held at once


def largest_similarities(
    similarity: Similarity,
    elements: Any,
    others: Any,
    classes: Int[np.ndarray, " m"],
    n_classes: int,
) -> Float[np.ndarray, "n C"]:
    """Find how like each element is to the most similar of others, in each of their classes.

    Blocks of columns of Z are taken as Z times unit vectors, so that whatever weighs elements can.

    Args:
        similarity: Any that compares elements with others.
        elements: n elements.
        others: m elements.
        classes: Class of each of the others, 0 to C - 1.
        n_classes: C.

    Returns:
        In the dtype of ordinariness; -inf for a class without elements.

    Raises:
        ValueError: If elements are not what the similarity compares.
    """
    check_process()
    elements, others = taken(similarity, elements), taken(similarity, others, "others")
    if isinstance(similarity, TiledSimilarity):
        similarity, elements, others = similarity.canonical(elements, others)
    n, m = (count_elements(similarity, x) for x in (elements, others))
    dtype = float_dtype(*[x for x in jax.tree.leaves((elements, others)) if hasattr(x, "dtype")])
    side = min(_COLUMNS, tile_side(max(n, m)))
    order = np.argsort(classes, kind="stable")
    out = np.full((n, n_classes), -np.inf, dtype)
    for start in range(0, m, side):
        some = order[start : start + side]
        columns, unit = pick(others, some), jnp.asarray(np.eye(len(some), side, dtype=dtype))
        own = classes[some]
        firsts = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
        for row in range(0, n, _ROWS):
            rows = np.arange(row, min(n, row + _ROWS))
            part = elements if n <= _ROWS else pick(elements, rows)
            if isinstance(similarity, TiledSimilarity):
                found = zp_of_canonical(similarity, part, columns, unit)
            else:
                found = zp(similarity, part, unit, columns)
            z = np.asarray(found)[:, : len(some)]
            place = np.ix_(rows, own[firsts])
            out[place] = np.maximum(out[place], np.maximum.reduceat(z, firsts, axis=1))
    return out
