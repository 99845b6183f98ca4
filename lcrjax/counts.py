"""Counts of elements in classes, in the forms that people have them in."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float


def counts_array(
    counts: Any,
) -> tuple[Float[Array, "S C"], tuple[str, ...], tuple[Any, ...] | None]:
    """Bring counts into an array and check them, unless they are traced.

    Args:
        counts: An array (S, C) or (S,), a dict of arrays (S,), or a DataFrame.

    Returns:
        Counts in a float dtype, names of the classes, and names of the elements where the counts
        are a DataFrame with an index of its own.

    Raises:
        ValueError: If a count is negative, NaN or infinite, or a class is empty; both named.
    """
    table: Any
    names: list[str] | None = None
    elements: tuple[Any, ...] | None = None
    if isinstance(counts, dict):
        names = [str(name) for name in counts]
        lengths = {str(name): np.shape(column) for name, column in counts.items()}
        if not lengths or len(set(lengths.values())) > 1 or len(next(iter(lengths.values()))) != 1:
            raise ValueError(f"counts have columns of shapes {lengths}: give one-dimensional ones")
        table = jnp.stack([jnp.asarray(column) for column in counts.values()], axis=1)
    elif hasattr(counts, "columns") and hasattr(counts, "index"):
        names = [str(name) for name in counts.columns]
        if not (counts.index.dtype.kind in "iu" and list(counts.index) == list(range(len(counts)))):
            elements = tuple(counts.index)
        table = counts.to_numpy()
    else:
        table = counts if isinstance(counts, jax.Array) else np.asarray(counts)
    if table.dtype.kind not in "iufb":
        raise ValueError(f"counts have dtype {table.dtype}: give numbers")
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"counts have shape {table.shape}: give (elements, classes)")
    names = names or [str(j) for j in range(table.shape[1])]
    if not isinstance(table, jax.core.Tracer):
        _check(np.asarray(table, np.float64), names)
    return jnp.asarray(table, jnp.result_type(table, jnp.float32)), tuple(names), elements


def _check(table: Float[np.ndarray, "S C"], names: list[str]) -> None:
    bad = np.argwhere(~(table >= 0) | np.isinf(table))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"the count of element {i} in class {names[j]!r} is {table[i, j]:g}: "
            "counts are finite and not negative"
        )
    if not table.any():
        raise ValueError("all counts are zero: there is nothing to measure")
    empty = np.flatnonzero(~table.any(axis=0))
    if len(empty):
        raise ValueError(f"class {names[empty[0]]!r} is empty: leave it out")
