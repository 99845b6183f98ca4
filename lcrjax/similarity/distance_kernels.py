"""Similarities that fall with distance: RMSD of images, and kernels of vectors."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike, DTypeLike
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand, namespace
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.widths import float_dtype
from lcrjax.similarity.base import Similarity, TiledSimilarity
from lcrjax.similarity.checks import check_positive, checked
from lcrjax.similarity.distances import cancellation, squares
from lcrjax.similarity.distances.units import in_own_unit, times_power

_TOLERANCE = {"float32": 2e-6, "float64": 1e-13}  # of a similarity, against rounding
_BLURRED = 1e-3  # of a squared distance: noise that may change a slope
_NOTHING = 1e-8  # a similarity that has no slope to speak of


def _distance(squared: AnyArray) -> AnyArray:
    """Square root with a derivative of zero at zero, where it has none."""
    xp, positive = namespace(squared), squared > 0
    return xp.where(positive, xp.sqrt(xp.where(positive, squared, 1)), 0)


def _exp(x: AnyArray) -> AnyArray:
    return namespace(x).exp(x)


#: Similarity at a squared distance d², by form, in either namespace: what kernels in C compute too.
FALLS: dict[str, Callable[[Any, Any], Any]] = {
    "exponential": lambda rate, squared: _exp(-rate * _distance(squared)),
    "gaussian": lambda rate, squared: _exp(-rate * squared),
    "matern32": lambda rate, squared: _matern32(rate * _distance(squared)),
    "matern52": lambda rate, squared: _matern52(rate * _distance(squared)),
}


def _matern32(a: AnyArray) -> AnyArray:
    return (1 + a) * _exp(-a)


def _matern52(a: AnyArray) -> AnyArray:
    return (1 + a + a**2 / 3) * _exp(-a)


class Radial(TiledSimilarity):
    """A similarity that falls with squared Euclidean distance, from 1 at zero, in a convex curve.

    A subclass names its `form` and gives a `rate`, or says all by itself in `at`.
    """

    form: ClassVar[str | None] = None

    def rate(self, dimension: int, dtype: DTypeLike, of_bytes: bool) -> Array:
        """Rate in the exponential of the form; see `TiledSimilarity.native_form`."""
        raise NotImplementedError

    def at(self, squared: Float[Array, "..."], dimension: int) -> Float[Array, "..."]:
        """Similarity at a squared distance, of vectors of so many components."""
        rate = self.rate(dimension, squared.dtype, False)
        return FALLS[str(self.form)](rate, squared)

    def native_form(self, dimension: int, of_bytes: bool) -> tuple[str, Any] | None:
        """The form, and its rate in float32."""
        if self.form is None:
            return None
        return self.form, self.rate(dimension, jnp.float32, of_bytes)

    def prepare(self, elements: Array) -> Any:
        """Centre vectors on their mean."""
        return self.prepare_both(elements, None)[0]

    def prepare_both(self, elements: Array, others: Array | None) -> tuple[Any, Any]:
        """Centre vectors on the mean of the elements."""
        dtype = float_dtype(elements)
        elements = elements.reshape(len(elements), -1).astype(dtype)
        centre = jax.lax.stop_gradient(jnp.mean(elements, axis=0))
        rows = squares.from_floats(elements, centre)
        if others is None:
            return rows, None
        return rows, squares.from_floats(others.reshape(len(others), -1).astype(dtype), centre)

    def block(self, rows: Any, columns: Any) -> Float[Array, "a b"]:
        """Similarities of a tile of different elements."""
        of_floats = isinstance(rows, squares.Floats)
        dtype = rows.squares.dtype if of_floats else jnp.dtype(jnp.float32)
        return self.tile(rows, columns, False, dtype)

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """Similarities of a tile; pairs too close for matrix products are done again exactly."""
        squared = squares.float_distances(rows, columns, same)
        z, close, _ = self._measured(squared, rows, columns, same)

        def exactly(squared: Array) -> Array:
            return self.at(squared, rows.dimension)

        return cancellation.recompute(z, close, rows, columns, exactly).astype(dtype)

    def smooth_tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """The same; of pairs whose directions products blur, the derivatives too are done again."""
        squared = jax.lax.stop_gradient(squares.float_distances(rows, columns, same))
        _, close, steep = jax.lax.stop_gradient(self._measured(squared, rows, columns, same))
        squared = cancellation.squared_distances(rows, columns, squared, close | steep)
        return self.at(squared, rows.dimension).astype(dtype)

    def _measured(
        self, squared: Array, rows: Any, columns: Any, same: Array | bool
    ) -> tuple[Array, Array, Array]:
        """Similarities; where rounding may change them; and where it may change their slopes.

        Within the noise of its distance a similarity changes most at the lower end, since
        the fall is convex.
        """
        noise = squares.distance_noise(rows, columns)
        nearest = jnp.maximum(squared - noise, 0)
        most = self.at(nearest, rows.dimension)
        z = self.at(nearest + noise, rows.dimension)
        itself = squares.diagonal(squared.shape, same)
        # Not `>`: the squares of huge numbers are infinite, and their differences no number.
        close = ~(most - z <= _TOLERANCE[str(squared.dtype)]) & ~itself
        steep = (noise > _BLURRED * squared) & (most > _NOTHING) & ~itself
        return jnp.where(itself, 1, z), close, steep

    def canonical(self, elements: Any, others: Any) -> tuple["Radial", Any, Any]:
        """Check that vectors are finite and of one shape; see `in_own_unit`.

        Vectors at hand in float64 (or whole numbers) that are computed with in float32 are taken
        about their middle before they are rounded, by which a distance is off by 1.2e-7 of the
        larger of the two distances from there.
        """
        elements, others = checked(elements, others)
        scaled = self.in_unit(0) is not None
        elements, others, exponent = in_own_unit(elements, others, scaled)
        unchanged = at_hand(exponent) and not exponent
        return self if unchanged else self.in_unit(exponent) or self, elements, others

    def in_unit(self, exponent: Any) -> "Radial | None":
        """The same similarity of vectors that were divided by 2^exponent.

        Returns:
            None where a subclass does not say so; its vectors then keep their unit.
        """
        return None


def is_positive(similarity: Similarity) -> bool:
    """Whether it is known that no similarity is negative, and that of an element to itself one."""
    return isinstance(similarity, Radial) and similarity.form is not None


class RMSD(Radial):
    r"""Similarity of images, $Z_{ij} = \exp(-s\,\mathrm{RMSD}_{ij})$ (paper, section III-D).

    RMSD is the pixel-wise root-mean-squared difference, of pixels in [0, 1]: uint8 images are
    taken as k/255, and their squared distances are exact integers whatever the image size. Float
    images whose pixels are k/255 (or k/16) go the same way. Other floats are taken as they are.

    Attributes:
        scale: s > 0; may be traced and differentiated.
        unit: The byte that stands for 1. It is 255, and need not be given.
    """

    form = "exponential"
    scale: ArrayLike = 1.0
    unit: ArrayLike = 255.0

    def canonical(self, elements: Any, others: Any) -> tuple["RMSD", Any, Any]:
        """Check the scale and images; floats that are k/255 (or k/16) become bytes."""
        check_positive("scale", self.scale)
        elements, others = checked(elements, others)
        given = [array for array in (elements, others) if array is not None]
        if not at_hand(*given):
            if all(array.dtype == jnp.uint8 for array in given):
                return self, elements, others
            return super().canonical(*map(_fractions, (elements, others)))  # type: ignore[return-value]
        for array in given:
            if array.dtype != np.uint8 and array.dtype.kind in "iub":
                raise ValueError(
                    f"images have dtype {array.dtype}: give uint8 (0 to 255) or floats in [0, 1]"
                )
        if all(array.dtype == np.uint8 for array in given):
            return self, elements, others
        found = squares.levels([np.asarray(array) for array in given])
        if found is None:
            return super().canonical(*map(_fractions, (elements, others)))  # type: ignore[return-value]
        exact = dataclasses.replace(self, unit=float(found[1]))
        return exact, found[0][0], None if others is None else found[0][1]

    def prepare_both(self, elements: Array, others: Array | None) -> tuple[Any, Any]:
        """Sum the squares of bytes; centre floats."""
        both = [array for array in (elements, others) if array is not None]
        if all(array.dtype == jnp.uint8 for array in both):
            prepared = [squares.from_bytes(array) for array in both]
            return prepared[0], prepared[1] if others is not None else None
        return super().prepare_both(*map(_fractions, (elements, others)))

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """Similarities of a tile; of bytes, from exact integers."""
        if isinstance(rows, squares.Floats):
            return super().tile(rows, columns, same, dtype)
        return self._of_bytes(rows, columns, dtype)

    def smooth_tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """The same; bytes have no derivative, the scale has."""
        if isinstance(rows, squares.Floats):
            return super().smooth_tile(rows, columns, same, dtype)
        return self._of_bytes(rows, columns, dtype)

    def rate(self, dimension: int, dtype: DTypeLike, of_bytes: bool) -> Array:
        """Of distances in units of the pixels."""
        unit = jnp.asarray(self.unit if of_bytes else 1, dtype)
        rate = jnp.asarray(self.scale, dtype) / (unit * np.sqrt(dimension).astype(dtype))
        return rate if of_bytes else _bounded(rate)

    def in_unit(self, exponent: Any) -> "RMSD":
        """The same, of floats in another unit."""
        return dataclasses.replace(self, scale=times_power(self.scale, exponent))

    def _of_bytes(self, rows: Any, columns: Any, dtype: Any) -> Array:
        squared = squares.byte_distances(rows, columns, dtype)
        return FALLS[str(self.form)](self.rate(rows.dimension, dtype, True), squared)


def _fractions(images: Any) -> Any:
    """Bytes as k/255; floats, and None, stay."""
    return images if images is None or images.dtype != np.uint8 else images / np.float32(255)


class _OfLength(Radial):
    """A kernel of vectors whose distances are in units of a length."""

    length: ArrayLike = 1.0

    def canonical(self, elements: Any, others: Any) -> tuple[Radial, Any, Any]:
        """Check the length, and that vectors are finite and of one shape."""
        check_positive("length", self.length)
        return super().canonical(elements, others)

    def rate(self, dimension: int, dtype: DTypeLike, of_bytes: bool) -> Array:
        """One over the length, times a constant of the form."""
        constant = {"exponential": 1.0, "matern32": 3**0.5, "matern52": 5**0.5}
        return _bounded(constant[str(self.form)] / jnp.asarray(self.length, dtype))

    def in_unit(self, exponent: Any) -> Radial:
        """The same, of vectors and a length in another unit."""
        return dataclasses.replace(self, length=times_power(self.length, -exponent))


def _bounded(rate: Array) -> Array:
    """A rate whose product with a square of zero is zero; beyond, nothing differs is alike."""
    return jnp.minimum(rate, jnp.finfo(rate.dtype).max ** 0.25)


class Laplacian(_OfLength):
    r"""$Z_{ij} = \exp(-\lVert x_i - x_j\rVert / \ell)$ for vectors.

    Attributes:
        length: $\ell > 0$, in the unit of the vectors.
    """

    form = "exponential"


class Gaussian(_OfLength):
    r"""$Z_{ij} = \exp(-\lVert x_i - x_j\rVert^2 / (2 \ell^2))$ for vectors.

    Attributes:
        length: $\ell > 0$, in the unit of the vectors.
    """

    form = "gaussian"

    def rate(self, dimension: int, dtype: DTypeLike, of_bytes: bool) -> Array:
        """Of squared distances."""
        return _bounded(1 / jnp.asarray(self.length, dtype)) ** 2 / 2


class Matern32(_OfLength):
    r"""$Z_{ij} = (1 + a) e^{-a}$ with $a = \sqrt{3} \lVert x_i - x_j\rVert / \ell$.

    Attributes:
        length: $\ell > 0$, in the unit of the vectors.
    """

    form = "matern32"


class Matern52(_OfLength):
    r"""$Z_{ij} = (1 + a + a^2/3) e^{-a}$ with $a = \sqrt{5} \lVert x_i - x_j\rVert / \ell$.

    Attributes:
        length: $\ell > 0$, in the unit of the vectors.
    """

    form = "matern52"
