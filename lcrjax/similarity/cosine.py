"""Cosine similarity of vectors, such as embeddings."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Shaped

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.widths import float_dtype
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.checks import checked
from lcrjax.similarity.distances.squares import diagonal, inner_products
from lcrjax.similarity.distances.units import is_wide


class _OfDirections(TiledSimilarity):
    """A similarity of vectors, whatever their lengths."""

    form: ClassVar[str]

    def native_form(self, dimension: int, of_bytes: bool) -> tuple[str, Any] | None:
        """The form; it has no rate."""
        return None if of_bytes else (self.form, 1.0)

    def canonical(self, elements: Any, others: Any) -> tuple[TiledSimilarity, Any, Any]:
        """Check vectors; those at hand in float64 that float32 cannot hold get lengths that fit."""
        elements, others = checked(elements, others)
        return self, _in_range(elements), _in_range(others)

    def prepare(self, elements: Array) -> Float[Array, "n d"]:
        """Scale vectors to length one."""
        return unit_vectors(elements)


class Cosine(_OfDirections):
    r"""$Z_{ij} = \max(0, \cos(x_i, x_j))$ for vectors such as embeddings.

    Opposite vectors have nothing in common; a vector of zeros is like itself alone.
    """

    form = "cosine"

    def block(self, rows: Array, columns: Array) -> Float[Array, "a b"]:
        """Inner products of unit vectors, within [0, 1]."""
        return jnp.clip(inner_products(rows, columns), 0, 1)

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """The same; a vector is like itself."""
        return jnp.minimum(self.smooth_tile(rows, columns, same, dtype), 1)

    def smooth_tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """The same; near-duplicates that rounding puts above 1 keep their derivatives."""
        cosine = jnp.maximum(inner_products(rows, columns), 0).astype(dtype)
        return jnp.where(diagonal(cosine.shape, same), 1, cosine)


class Linear(_OfDirections):
    r"""$Z_{ij} = x_i \cdot x_j$ for unit vectors: the cosine, negative similarities kept.

    Not a similarity in the sense of the LCR family, whose elements cannot be less than unlike, but
    a kernel: its Vendi score needs eigenvalues of a (d, d) matrix alone.
    """

    form = "linear"

    def block(self, rows: Array, columns: Array) -> Float[Array, "a b"]:
        """Inner products of unit vectors."""
        return inner_products(rows, columns)


def _in_range(vectors: Any) -> Any:
    """Divide each vector by a power of two, if its numbers may leave the range of its width."""
    if vectors is None or not at_hand(vectors) or not is_wide(vectors, float_dtype(vectors)):
        return vectors
    wide = np.asarray(vectors, np.float64).reshape(len(vectors), -1)
    exponents = np.frexp(np.max(np.abs(wide), axis=1, keepdims=True))[1]
    return np.ldexp(wide, -exponents).astype(float_dtype(vectors)).reshape(vectors.shape)


def unit_vectors(vectors: Shaped[Array, "n ..."]) -> Float[Array, "n d"]:
    """Scale vectors to length one; zeros stay."""
    flat = vectors.reshape(len(vectors), -1).astype(float_dtype(vectors))
    # Squares of tiny or huge components would be zero or infinite; what scales has no derivative.
    most = jnp.finfo(flat.dtype).maxexp - 8
    exponent = jnp.log2(jnp.max(jnp.abs(flat), axis=1, keepdims=True))
    scaled = flat * lax.stop_gradient(jnp.exp2(-jnp.clip(exponent, -most, most)))
    squared = jnp.sum(scaled**2, axis=1, keepdims=True)
    positive = squared > 0
    return jnp.where(positive, scaled * lax.rsqrt(jnp.where(positive, squared, 1)), 0)
