"""Convolution as matrix products, forwards and backwards.

`vmap` over weights turns XLA's convolution into a grouped one, slow everywhere. As a *product* a
convolution gathers the pixels under the kernel side by side and multiplies once; its derivative
gathers again instead of storing the patches, and never scatters. For one model on a CPU, recent
XLA has a fast *direct* convolution in a single form (forwards, channels last, maps of 3x3 pixels
and up), so there both derivatives are put into that form. Kernel taps that only ever meet the zero
padding (most of a 3x3 kernel on a 1x1 map) are left out altogether, either way.
"""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lcrjax.training.compiler import precision

SMALLEST_DIRECT_MAP = 3
# The kernel's derivative works through this many bytes of input at a time: a core's cache.
CACHE_BYTES = 2**20


@dataclasses.dataclass(frozen=True)
class Geometry:
    """The shape of a square convolution on a map of a known size.

    Attributes:
        height: Height of the input in pixels.
        width: Width of the input in pixels.
        size: Side of the kernel.
        stride: Step between outputs, the same both ways.
        padding: Zeros added on every side.
    """

    height: int
    width: int
    size: int
    stride: int
    padding: int

    @property
    def out_height(self) -> int:
        """Height of the output."""
        return (self.height + 2 * self.padding - self.size) // self.stride + 1

    @property
    def out_width(self) -> int:
        """Width of the output."""
        return (self.width + 2 * self.padding - self.size) // self.stride + 1

    @functools.cached_property
    def taps(self) -> tuple[tuple[int, int], ...]:
        """Kernel positions (row, column) that meet at least one pixel, in row-major order."""
        rows = self._live(self.height, self.out_height)
        columns = self._live(self.width, self.out_width)
        return tuple((i, j) for i in rows for j in columns)

    @property
    def is_pointwise(self) -> bool:
        """Whether every output sees one pixel only, its own."""
        plain = self.size == 1 and self.stride == 1 and self.padding == 0
        sizes = (self.height, self.width, self.out_height, self.out_width)
        return plain or sizes == (1, 1, 1, 1)

    @property
    def suits_direct(self) -> bool:
        """Whether XLA's convolution serves: it is slow on tiny maps, and knows no dead taps."""
        return (
            min(self.height, self.width) >= SMALLEST_DIRECT_MAP
            and len(self.taps) == self.size**2
            and self.size > 1
        )

    def _live(self, length: int, out_length: int) -> list[int]:
        return [
            tap
            for tap in range(self.size)
            if any(0 <= o * self.stride + tap - self.padding < length for o in range(out_length))
        ]


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def convolve(
    images: Float[Array, "b h w c_in"],
    kernel: Float[Array, "taps c_in c_out"],
    geometry: Geometry,
    direct: bool = False,
) -> Float[Array, "b h_out w_out c_out"]:
    """Cross-correlate images with a kernel, zeros outside.

    Equal to `jax.lax.conv_general_dilated` with the kernel's dead taps put back as anything.
    May be vmapped over images and kernel; then it becomes one batched matrix product.

    Args:
        images: Input maps, channels last.
        kernel: The live taps only, in the order of `geometry.taps`.
        geometry: Shape of the convolution; static.
        direct: Whether to prefer XLA's convolution, the faster way for one model on a CPU; static.

    Returns:
        Output maps in the dtype of `images`, accumulated in float32 or wider.

    Raises:
        ValueError: If the shapes do not fit `geometry`.
    """
    if images.shape[1:3] != (geometry.height, geometry.width):
        raise ValueError(f"images have shape {images.shape}; {geometry} was expected")
    if kernel.shape[:2] != (len(geometry.taps), images.shape[3]):
        raise ValueError(
            f"kernel has shape {kernel.shape}; expected {len(geometry.taps)} live taps and "
            f"{images.shape[3]} input channels"
        )
    if direct and geometry.suits_direct:
        full = kernel.reshape(geometry.size, geometry.size, *kernel.shape[1:])
        return _direct(images, full, geometry.stride, geometry.padding)
    columns = _patches(images, geometry)
    return _product(columns, kernel.reshape(-1, kernel.shape[2]), (3, 0)).astype(images.dtype)


def _forward(images, kernel, geometry, direct):  # type: ignore[no-untyped-def]
    return convolve(images, kernel, geometry, direct), (images, kernel)


def _backward(geometry, direct, residuals, cotangent):  # type: ignore[no-untyped-def]
    images, kernel = residuals
    cotangent = cotangent.astype(images.dtype)
    direct = direct and geometry.suits_direct
    return (
        _image_gradient(images, kernel, geometry, cotangent, direct),
        _kernel_gradient(images, kernel, geometry, cotangent, direct),
    )


convolve.defvjp(_forward, _backward)


def _product(a: Array, b: Array, contract: tuple[int, int]) -> Array:
    """Contract one axis of each."""
    return jax.lax.dot_general(
        a,
        b,
        (((contract[0],), (contract[1],)), ((), ())),
        precision=precision(),
        preferred_element_type=np.promote_types(a.dtype, np.float32),
    )


def _patches(images: Array, geometry: Geometry) -> Array:
    """Pixels under each live tap side by side: (b, h_out, w_out, taps * c_in)."""
    g = geometry
    if g.is_pointwise:
        return images
    padded = jnp.pad(images, ((0, 0), (g.padding, g.padding), (g.padding, g.padding), (0, 0)))
    batch, _, _, channels = padded.shape
    height, width = (g.out_height - 1) * g.stride + 1, (g.out_width - 1) * g.stride + 1
    ends = [(batch, i + height, j + width, channels) for i, j in g.taps]
    strides = (1, g.stride, g.stride, 1)
    pieces = [
        jax.lax.slice(padded, (0, *tap, 0), end, strides)
        for tap, end in zip(g.taps, ends, strict=True)
    ]
    return jnp.concatenate(pieces, axis=3)


def _direct(images: Array, kernel: Array, stride: int, padding: int) -> Array:
    """Convolve with XLA's own operation, channels last."""
    return jax.lax.conv_general_dilated(
        images,
        kernel,
        (stride, stride),
        ((padding, padding), (padding, padding)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=precision(),
        preferred_element_type=np.promote_types(images.dtype, np.float32),
    ).astype(images.dtype)


def _kernel_gradient(
    images: Array, kernel: Array, geometry: Geometry, cotangent: Array, direct: bool
) -> Array:
    if direct:
        return _direct_kernel_gradient(images, geometry, cotangent).reshape(kernel.shape)
    columns = _patches(images, geometry)
    columns, cotangent = (a.reshape(-1, a.shape[-1]) for a in (columns, cotangent))
    gradient = _product(columns, cotangent, (0, 0))
    return gradient.reshape(kernel.shape).astype(kernel.dtype)


def _direct_kernel_gradient(images: Array, geometry: Geometry, cotangent: Array) -> Array:
    """Correlate images with the cotangent: channels act as batch, and the batch as channels."""
    g = geometry
    end_h, end_w = (
        (out - 1) * g.stride + g.size - g.padding - length
        for out, length in ((g.out_height, g.height), (g.out_width, g.width))
    )
    count = min(len(images), max(1, images.nbytes // CACHE_BYTES))
    bounds = [round(i * len(images) / count) for i in range(count + 1)]
    total = jnp.zeros((), images.dtype)
    for start, stop in itertools.pairwise(bounds):
        # The barrier keeps the transposes: folded into the convolution they lose the fast path.
        turned = images[start:stop].transpose(3, 1, 2, 0)
        weights = cotangent[start:stop].transpose(1, 2, 0, 3)
        turned, weights = jax.lax.optimization_barrier((turned, weights))
        total += jax.lax.conv_general_dilated(
            turned,
            weights,
            (1, 1),
            ((g.padding, end_h), (g.padding, end_w)),
            rhs_dilation=(g.stride, g.stride),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision=precision(),
        )
    return total.transpose(1, 2, 0, 3)


def _image_gradient(
    images: Array, kernel: Array, geometry: Geometry, cotangent: Array, direct: bool
) -> Array:
    g = geometry
    if direct and g.stride == 1:
        full = kernel.reshape(g.size, g.size, *kernel.shape[1:])
        turned = jnp.flip(full, (0, 1)).transpose(0, 1, 3, 2)
        return _direct(cotangent, turned, 1, g.size - 1 - g.padding)
    if g.is_pointwise:
        return _product(cotangent, kernel[0], (3, 1)).astype(images.dtype)
    spread = _product(cotangent, kernel.reshape(-1, kernel.shape[2]), (3, 1))
    spread = spread.reshape(*cotangent.shape[:3], len(g.taps), -1)
    total = jnp.zeros(images.shape, spread.dtype)
    for t, (i, j) in enumerate(g.taps):
        rows = _place(i - g.padding, g.out_height, g.stride, g.height)
        columns = _place(j - g.padding, g.out_width, g.stride, g.width)
        widths = ((0, 0, 0), rows, columns, (0, 0, 0))
        total += jax.lax.pad(spread[:, :, :, t], jnp.zeros((), spread.dtype), widths)
    return total.astype(images.dtype)


def _place(start: int, outputs: int, stride: int, length: int) -> tuple[int, int, int]:
    """Padding that lays outputs `stride` apart from `start` on a line of `length`, cutting off."""
    return (start, length - start - ((outputs - 1) * stride + 1), stride - 1)
