"""The network as native kernels: forwards, and the gradient of a batch, each one call.

`lcrjax.training.networks.resnet18` says what is computed, and is the path of every other machine.
"""

import ctypes
import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from lcrjax import native
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.resnet18 import Architecture

LANES = 16
# The calls' modes, as in resnet.h: they differ in the memory that they need.
_GRADIENT, _STATISTICS, _SETTLED = 0, 1, 2

Path = tuple[str | int, ...]


def serves(config: TrainingConfig) -> bool:
    """Say whether one model of this recipe can be trained by native kernels here."""
    return (
        jax.default_backend() == "cpu"
        and config.precision == "float32"
        and config.base_channels % LANES == 0
        and jnp.result_type(float) == jnp.float32
        and native.available()
    )


def gradient(
    params: nnx.State,
    pixels: Float[Array, "b h w c"],
    labels: Int[Array, " b"],
    weights: Float[Array, " b"],
    architecture: Architecture,
) -> tuple[nnx.State, Float[Array, ""], Float[Array, ""]]:
    """Differentiate the weighted mean cross-entropy of one batch.

    Args:
        params: Trainable weights.
        pixels: Images, float32.
        labels: Their classes.
        weights: One weight per image; an image of weight zero costs nothing.
        architecture: Shape of the network; static.

    Returns:
        The gradient, the loss, and the weight of the images that were classified correctly.
    """
    flat = dict(nnx.to_flat_state(params))
    arrays = [flat[path][...] for path in _parameters()]
    number = jax.ShapeDtypeStruct((), jnp.float32)
    shapes = [jax.ShapeDtypeStruct(a.shape, jnp.float32) for a in arrays]
    memory = _memory(architecture, len(pixels), _GRADIENT)
    call = jax.ffi.ffi_call(native.target("resnet_gradient"), (number, number, *shapes, memory))
    loss, right, *gradients = call(
        pixels, labels, weights, *arrays, stem=np.int64(architecture.stem_geometry.size)
    )[:-1]
    flat = {
        path: flat[path].replace(value)
        for path, value in zip(_parameters(), gradients, strict=True)
    }
    return nnx.from_flat_state(flat), loss, right


def forward(
    params: nnx.State,
    stats: nnx.State,
    pixels: Float[Array, "b h w c"],
    weights: Float[Array, " b"],
    architecture: Architecture,
    *,
    settled: bool,
) -> tuple[Float[Array, "b classes"], nnx.State]:
    """Compute logits.

    Args:
        params: Trainable weights.
        stats: Batch normalisation's statistics.
        pixels: Images, float32.
        weights: One weight per image; an image of weight zero costs nothing, and its logits mean
            nothing.
        architecture: Shape of the network; static.
        settled: Whether to normalise by `stats`, rather than by the batch's own statistics.

    Returns:
        Logits, and the statistics that were used.
    """
    flat, found = dict(nnx.to_flat_state(params)), dict(nnx.to_flat_state(stats))
    arrays = [flat[path][...] for path in _parameters()]
    statistics = [found[path][...] for path in _statistics()]
    logits = jax.ShapeDtypeStruct((len(pixels), architecture.n_classes), jnp.float32)
    memory = _memory(architecture, len(pixels), _SETTLED if settled else _STATISTICS)
    shapes = [] if settled else [jax.ShapeDtypeStruct(a.shape, jnp.float32) for a in statistics]
    call = jax.ffi.ffi_call(native.target("resnet_forward"), (logits, *shapes, memory))
    result, *new = call(
        pixels,
        weights,
        *arrays,
        *(statistics if settled else ()),
        stem=np.int64(architecture.stem_geometry.size),
        settled=np.int64(settled),
    )[:-1]
    if settled:
        return result, stats
    named: dict[Any, Any] = {
        path: found[path].replace(value) for path, value in zip(_statistics(), new, strict=True)
    }
    return result, nnx.from_flat_state(named)


def _units() -> Iterator[tuple[Path, Path]]:
    """Paths of the convolutions and their normalisations, in the order of the operands."""
    yield ("stem",), ("stem_norm",)
    for block in range(8):
        names = ["first", "second"]
        if block and block % 2 == 0:
            names.append("shortcut")
        for name in names:
            yield ("blocks", block, name), ("blocks", block, f"{name}_norm")


@functools.cache
def _parameters() -> tuple[Path, ...]:
    kernels = (((*conv, "kernel"), (*norm, "scale"), (*norm, "bias")) for conv, norm in _units())
    return (*(path for unit in kernels for path in unit), ("weight",), ("bias",))


@functools.cache
def _statistics() -> tuple[Path, ...]:
    return tuple((*norm, name) for _, norm in _units() for name in ("mean", "variance"))


def _memory(architecture: Architecture, batch: int, mode: int) -> jax.ShapeDtypeStruct:
    """Room for the maps of one call: a result that nobody reads, so that XLA provides it."""
    a = architecture
    count = native.function("resnet_floats")
    count.restype = ctypes.c_int64
    floats = count(
        mode, batch, a.height, a.width, a.channels, a.base, a.stem_geometry.size, a.n_classes
    )
    return jax.ShapeDtypeStruct((floats,), jnp.float32)
