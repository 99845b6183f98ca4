"""A first look: roughly how ordinary elements are, which sorts them before they are drawn."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.strata import Sample
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.pairwise.zp import zp
from lcrjax.similarity.base import Similarity

_COLUMNS = 4  # one column for so many rows
#: Columns for each class, without which there is no first look.
FEWEST_LOOK = 4


def columns_of_first_look(rows: int, classes: int) -> int:
    """With how many columns elements are compared before so many rows are drawn; 0 for no look."""
    few = rows // _COLUMNS
    return few if few >= FEWEST_LOOK * classes else 0


def first_look(
    similarity: Similarity,
    elements: Any,
    classes: Int[np.ndarray, " m"],
    columns: Sample,
    others: Any,
    of_others: Int[np.ndarray, " k"],
    places: Int[np.ndarray, " m"] | None = None,
) -> Float[np.ndarray, "m 2"]:
    """How similar each element is to its class and to all, by the mean over some of these.

    Args:
        similarity: Any that compares elements with others.
        elements: m elements, as it takes them; or a `Stream` of them.
        classes: Class of each, 0 to C - 1, none empty.
        columns: A sample of all elements.
        others: Its k elements.
        of_others: Their classes.
        places: Of the m among all elements; None where they are all.
    """
    n = columns.population.sum()
    table: Any = np.zeros((len(of_others), len(columns.population)))
    table[np.arange(len(table)), of_others] = columns.weights / n
    dtype = float_dtype(*jax.tree.leaves(elements))

    def kept(its: slice, sums: Float[np.ndarray, "b C"]) -> Float[np.ndarray, "b 2"]:
        return np.stack([sums[np.arange(len(sums)), classes[its]], sums.sum(axis=1)], axis=1)

    if isinstance(elements, Stream):
        seen = product_of_stream(similarity, elements, table.astype(dtype), others, kept=kept)
    else:
        table = jnp.asarray(table, dtype)
        seen = kept(slice(None), np.asarray(zp(similarity, elements, table, others)))
    here, its = columns.rows, columns.weights
    if places is not None:
        _, here, there = np.intersect1d(places, columns.rows, return_indices=True)
        its = its[there]
    # Each is once like itself, whether it is among them or not.
    seen[here] -= (its / n).astype(seen.dtype)[:, None]
    seen += 1 / n
    return seen


def more_outliers(name: str, rows: int) -> str:
    """What is told where a class seems to have more outliers than could be taken for certain."""
    return (
        f"class {name!r} has more outliers than {rows} rows hold: intervals may be too narrow, so "
        "give more rows"
    )
