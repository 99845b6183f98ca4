"""The backend of ResNet-18 whose every part is a kernel in C."""

import ctypes
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Array, ArrayLike, Float, Int

from lcrjax import native
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend
from lcrjax.training.networks.resnet18_architecture import Architecture
from lcrjax.training.networks.resnet18_native.adam import adam

LANES = 16
# The calls' modes, as in resnet.h: they differ in the memory that they need.
_GRADIENT, _BATCH_STATISTICS, _INFERENCE = 0, 1, 2

Path = tuple[str | int, ...]


def _units() -> Iterator[tuple[Path, Path]]:
    """Paths of the convolutions and their normalisations, in the order of the operands."""
    yield ("stem",), ("stem_norm",)
    for block in range(8):
        names = ["first", "second"]
        if block and block % 2 == 0:
            names.append("shortcut")
        for name in names:
            yield ("blocks", block, name), ("blocks", block, f"{name}_norm")


_PARAMETERS: tuple[Path, ...] = (
    *(
        path
        for conv, norm in _units()
        for path in ((*conv, "kernel"), (*norm, "scale"), (*norm, "bias"))
    ),
    ("weight",),
    ("bias",),
)
_STATISTICS = tuple((*norm, name) for _, norm in _units() for name in ("mean", "var"))


def serves(config: TrainingConfig, at_once: int) -> bool:
    """Say whether models of this recipe can be trained by native kernels here."""
    return (
        at_once == 1
        and jax.default_backend() == "cpu"
        and config.dtype == "float32"
        and config.base_channels % LANES == 0
        and jnp.result_type(float) == jnp.float32
        and native.complete()
    )


@dataclasses.dataclass(frozen=True)
class NativeBackend(Backend):
    """ResNet-18 as calls of kernels in C.

    Attributes:
        network: The same network in XLA: the reference, and where initial weights come from.
        stem: Side of the first convolution, as in `Architecture`.
    """

    stem: int | None = None

    def forward(
        self,
        params: Any,
        statistics: Any,
        images: Float[Array, "b h w c"],
        weights: Float[Array, " b"],
        *,
        training: bool,
    ) -> tuple[Float[Array, "b classes"], Any]:
        """Compute logits; an image of weight zero costs nothing."""
        arrays, shape = _read(params, _PARAMETERS), self._architecture(params, images)
        stored = _read(statistics.values, _STATISTICS)
        given, results = ([], [*map(_like, stored)]) if training else (stored, [])
        logits = jax.ShapeDtypeStruct((len(images), shape.n_classes), jnp.float32)
        memory = _memory(shape, len(images), _BATCH_STATISTICS if training else _INFERENCE)
        call = jax.ffi.ffi_call(native.target("resnet_forward"), (logits, *results, memory))
        stem = np.int64(shape.stem_geometry.size)
        found, *used = call(images, weights, *arrays, *given, stem=stem)[:-1]
        if training:
            statistics = dataclasses.replace(statistics, values=_write(_STATISTICS, used))
        return found, statistics

    def inference_batch(self, n: int, config: TrainingConfig) -> int:
        """Say how many images to classify at a time: weights are transformed once for each batch.

        Large maps do not grow with the batch, see resnet.c.
        """
        batches = -(-n // (4 * config.settling_batch))
        return -(-n // max(1, batches))

    def gradient(
        self,
        params: Any,
        statistics: Any,
        images: Float[Array, "b h w c"],
        labels: Int[Array, " b"],
        weights: Float[Array, " b"],
    ) -> tuple[Any, Float[Array, ""], Float[Array, ""]]:
        """Differentiate one batch's loss; an image of weight zero costs nothing."""
        arrays, shape = _read(params, _PARAMETERS), self._architecture(params, images)
        number = jax.ShapeDtypeStruct((), jnp.float32)
        results = (number, number, *map(_like, arrays), _memory(shape, len(images), _GRADIENT))
        call = jax.ffi.ffi_call(native.target("resnet_gradient"), results)
        stem = np.int64(shape.stem_geometry.size)
        loss, right, *found = call(images, labels, weights, *arrays, stem=stem)[:-1]
        return _write(_PARAMETERS, found), loss, right

    def update(
        self,
        params: Any,
        moments: optax.OptState,
        gradient: Any,
        config: TrainingConfig,
        factor: ArrayLike,
    ) -> tuple[Any, optax.OptState]:
        """Move parameters: plain Adam in one pass over memory, other recipes as everywhere."""
        plain = not (config.weight_decay or config.warmup_steps)
        if plain and config.optimizer in ("adam", "adamw"):
            return adam(params, moments, gradient, config.learning_rate * jnp.float32(factor))
        return super().update(params, moments, gradient, config, factor)

    def _architecture(self, params: Any, images: Array) -> Architecture:
        base, n_classes = params["stem"]["kernel"].shape[2], params["bias"].shape[0]
        _, height, width, channels = images.shape
        return Architecture(height, width, channels, n_classes, base, self.stem)


def _read(tree: Any, paths: Sequence[Path]) -> list[Array]:
    flat = flatten_dict(tree)
    return [flat[path] for path in paths]


def _write(paths: Sequence[Path], arrays: Sequence[Array]) -> dict[Any, Any]:
    return unflatten_dict(dict(zip(paths, arrays, strict=True)))


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
