"""Batch normalisation by a batch's own statistics, with its derivative written out.

Left to automatic differentiation the two moments cost several more passes over the activations.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

EPSILON = 1e-5


@jax.custom_vjp
def batch_normalise(
    x: Float[Array, "b h w c"],
    scale: Float[Array, " c"],
    bias: Float[Array, " c"],
    weights: Float[Array, " b"],
) -> tuple[Float[Array, "b h w c"], Float[Array, " c"], Float[Array, " c"]]:
    """Normalise each channel by its weighted mean and (biased) variance over images and pixels.

    Args:
        x: Activations.
        scale: Factor per channel.
        bias: Offset per channel.
        weights: One weight per image, at least 0 and not all 0; zero leaves an image out.

    Returns:
        Normalised activations in the dtype of `x`; the mean and the variance, which carry no
        gradient.

    References:
        Ioffe & Szegedy (2015).
    """
    return _forward(x, scale, bias, weights)[0]


def _forward(x, scale, bias, weights):  # type: ignore[no-untyped-def]
    wide = x.astype(np.promote_types(x.dtype, np.float32))
    share = (weights / (weights.sum() * x.shape[1] * x.shape[2]))[:, None, None, None]
    mean = (wide * share).sum((0, 1, 2))
    variance = (jnp.square(wide - _wide(mean)) * share).sum((0, 1, 2))
    y = apply_statistics(x, scale, bias, mean, variance)
    return (y, mean, variance), (x, scale, share, mean, variance)


def _backward(residuals, cotangents):  # type: ignore[no-untyped-def]
    x, scale, share, mean, variance = residuals
    dy = cotangents[0].astype(mean.dtype)
    inverse = jax.lax.rsqrt(variance + EPSILON)
    normal = (x.astype(mean.dtype) - _wide(mean)) * _wide(inverse)
    by_bias = dy.sum((0, 1, 2))
    by_scale = (dy * normal).sum((0, 1, 2))
    # With respect to the scaled input, less its projections on the two moments.
    by_x = _wide(scale * inverse) * (dy - share * (_wide(by_bias) + normal * _wide(by_scale)))
    return by_x.astype(x.dtype), by_scale, by_bias, jnp.zeros(len(x), mean.dtype)


batch_normalise.defvjp(_forward, _backward)


def apply_statistics(
    x: Float[Array, "b h w c"],
    scale: Float[Array, " c"],
    bias: Float[Array, " c"],
    mean: Float[Array, " c"],
    variance: Float[Array, " c"],
) -> Float[Array, "b h w c"]:
    """Normalise each channel by statistics that are given."""
    factor = scale * jax.lax.rsqrt(variance + EPSILON)
    wide = x.astype(np.promote_types(x.dtype, np.float32))
    return ((wide - _wide(mean)) * _wide(factor) + _wide(bias)).astype(x.dtype)


def _wide(channels: Float[Array, " c"]) -> Float[Array, "1 1 1 c"]:
    return channels[None, None, None, :]
