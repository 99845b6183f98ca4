"""What every similarity has in common."""

from abc import ABC, abstractmethod
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.tables import native_order


class Similarity(ABC):
    """How alike two elements are: 0 nothing in common, 1 the same.

    A similarity is a frozen dataclass registered as a pytree, whose parameters may be traced and
    differentiated. Those whose similarities can be computed a tile at a time derive from
    `TiledSimilarity`; the others say themselves how they weigh elements.
    """

    @abstractmethod
    def ordinariness(
        self,
        elements: Any,
        weights: Float[Array, "m k"],
        others: Any = None,
        *,
        tile: int | None = None,
    ) -> Float[Array, "n k"]:
        """Weighted mean similarity of each element to `others`: $Z w$, without storing $Z$.

        Args:
            elements: n elements, in the form that the similarity takes.
            weights: One row for each of `others`, (m, k); one column per distribution.
            others: m elements; None for `elements` themselves.
            tile: Side of a tile of Z, where it is computed in tiles; None chooses.

        Returns:
            $Z w$, in the dtype of the weights.
        """


class TiledSimilarity(Similarity):
    """A similarity computed tile by tile from a compact form of the elements."""

    @property
    def symmetric(self) -> bool:
        """Whether Z_ij = Z_ji, which saves half of the work."""
        return True

    def canonical(self, elements: Any, others: Any) -> tuple["TiledSimilarity", Any, Any]:
        """Check elements on the host and choose their most compact exact form.

        Returns:
            The similarity of that form, the elements and the others. Traced arrays stay.

        Raises:
            ValueError: If the elements have a shape or dtype that the similarity does not take.
        """
        return self, *checked(elements, others)

    @abstractmethod
    def prepare(self, elements: Array, others: Array | None) -> tuple[Any, Any]:
        """Turn both sets of elements into pytrees of arrays whose first axis counts elements.

        What all elements have in common, and no derivative needs, is a
        `lcrjax.numerics.pytrees.Shared`. Traced, once per call; the second is None where
        `others` is.
        """

    @abstractmethod
    def block(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """Similarities of a tile.

        Args:
            rows: Slice of the prepared elements.
            columns: Slice of the prepared others.
            same: Whether rows and columns are the same elements (a tile on the diagonal).
            dtype: Float dtype of the result.
        """

    def radial_profile(self, dimension: int, of_bytes: bool) -> tuple[str, Any] | None:
        """Name what is a function of squared distances alone, so that kernels can compute it.

        Args:
            dimension: Components of a prepared element.
            of_bytes: Whether they are bytes, in units of 1.

        Returns:
            One of `lcrjax.pairwise.kernels.PROFILES` and the rate in its exponential: of the
            distance d of prepared elements in `exp(-rate d)` and, with a = rate d, in
            `(1 + a) exp(-a)` and `(1 + a + a²/3) exp(-a)`; of its square in `exp(-rate d²)`. None for anything else.
        """
        return None

    def smooth_block(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """`block` in a form that can be differentiated; the same unless a class says otherwise."""
        return self.block(rows, columns, same, dtype)

    def ordinariness(
        self,
        elements: Any,
        weights: Float[Array, "m k"],
        others: Any = None,
        *,
        tile: int | None = None,
    ) -> Float[Array, "n k"]:
        """As `Similarity.ordinariness`, in tiles; works under jit, vmap and grad."""
        from lcrjax.pairwise.tiling import tiled_ordinariness

        return tiled_ordinariness(self, elements, weights, others, tile)


def checked(elements: Any, others: Any) -> tuple[Any, Any]:
    """Check vectors or images on the host: numbers, finite, one shape.

    Raises:
        ValueError: If one of them is not, saying which and where.
    """
    out = [_checked(name, x) for name, x in (("elements", elements), ("others", others))]
    if out[1] is not None and out[0].shape[1:] != out[1].shape[1:]:
        raise ValueError(
            f"elements have shape {out[0].shape} and others {out[1].shape}: "
            "all but the first number must agree"
        )
    return out[0], out[1]


def _checked(name: str, array: Any) -> Any:
    if array is None or isinstance(array, jax.core.Tracer):
        return array
    array = array if isinstance(array, jax.Array) else np.asarray(array)
    if array.dtype.kind not in "uifb" and array.dtype.name not in ("bfloat16", "float16"):
        raise ValueError(f"{name} have dtype {array.dtype}: give numbers")
    if array.ndim < 2 or 0 in array.shape[1:]:
        raise ValueError(f"{name} have shape {array.shape}: give (n, ...), one row per element")
    array = native_order(array)
    host = np.asarray(array)
    if array.dtype.kind == "f" and not _surely_finite(host):
        bad = np.argwhere(~np.isfinite(host))
        if len(bad):
            place = tuple(map(int, bad[0]))
            raise ValueError(f"{name} hold NaN or infinity, first at {place}: remove it")
    return array


def _surely_finite(array: np.ndarray) -> bool:
    """Whether one pass over the numbers shows them finite; they may be so where it does not."""
    flat = array.reshape(-1)
    if array.dtype.name in ("float32", "float64"):
        return bool(np.isfinite(np.vdot(flat, flat)))
    return bool(np.isfinite(np.sum(flat, dtype=np.float64)))
