"""Calls of the kernels: forwards, in inference, and the gradient of a batch.

Weights and statistics are nested dictionaries, as `lcrjax.training.networks.resnet18` has them.
"""

import ctypes
import functools
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lcrjax import native
from lcrjax.training.networks.architecture import Architecture

# The calls' modes, as in resnet.h: they differ in the memory that they need.
_GRADIENT, _STATISTICS, _INFERENCE = 0, 1, 2

Path = tuple[str | int, ...]


def gradient(
    params: Any,
    images: Float[Array, "b h w c"],
    labels: Int[Array, " b"],
    weights: Float[Array, " b"],
    architecture: Architecture,
) -> tuple[Any, Float[Array, ""], Float[Array, ""]]:
    """Differentiate the weighted mean cross-entropy of one batch.

    Returns:
        The gradient, the loss, and the weight of the images that were classified correctly.
    """
    arrays = _read(params, _parameters())
    number = jax.ShapeDtypeStruct((), jnp.float32)
    memory = _memory(architecture, len(images), _GRADIENT)
    call = jax.ffi.ffi_call(
        native.target("resnet_gradient"), (number, number, *map(_like, arrays), memory)
    )
    stem = np.int64(architecture.stem_geometry.size)
    loss, right, *found = call(images, labels, weights, *arrays, stem=stem)[:-1]
    return _write(_parameters(), found), loss, right


def forward(
    params: Any,
    statistics: Any | None,
    images: Float[Array, "b h w c"],
    weights: Float[Array, " b"],
    architecture: Architecture,
) -> tuple[Float[Array, "b classes"], Any]:
    """Compute logits, normalised by statistics or, without them, by the batch's own.

    Returns:
        Logits, and the statistics that were used.
    """
    arrays, new = _read(params, _parameters()), statistics is None
    given = [] if new else _read(statistics, _statistics())
    scales = [a for a, path in zip(arrays, _parameters(), strict=True) if path[-1] == "scale"]
    shapes = [_like(scale) for scale in scales for _ in ("mean", "var")] if new else []
    logits = jax.ShapeDtypeStruct((len(images), architecture.n_classes), jnp.float32)
    memory = _memory(architecture, len(images), _STATISTICS if new else _INFERENCE)
    call = jax.ffi.ffi_call(native.target("resnet_forward"), (logits, *shapes, memory))
    stem = np.int64(architecture.stem_geometry.size)
    result, *found = call(images, weights, *arrays, *given, stem=stem)[:-1]
    return result, _write(_statistics(), found) if new else statistics


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
    return tuple((*norm, name) for _, norm in _units() for name in ("mean", "var"))


def _read(tree: Any, paths: Sequence[Path]) -> list[Array]:
    return [functools.reduce(operator.getitem, path, tree) for path in paths]


def _write(paths: Sequence[Path], arrays: Sequence[Array]) -> dict[Any, Any]:
    tree: dict[Any, Any] = {}
    for path, array in zip(paths, arrays, strict=True):
        branch = tree
        for key in path[:-1]:
            branch = branch.setdefault(key, {})
        branch[path[-1]] = array
    return tree


def _like(array: Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, jnp.float32)


def _memory(architecture: Architecture, batch: int, mode: int) -> jax.ShapeDtypeStruct:
    """Room for the maps of one call: a result that nobody reads, so that XLA provides it."""
    a = architecture
    count = native.function("resnet_floats")
    count.restype = ctypes.c_int64
    floats = count(
        mode, batch, a.height, a.width, a.channels, a.base, a.stem_geometry.size, a.n_classes
    )
    return jax.ShapeDtypeStruct((floats,), jnp.float32)
