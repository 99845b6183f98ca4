"""The backend of ResNet-18 whose every part is a kernel in C."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, ArrayLike, Float, Int

from lcrjax import native
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.architecture import Architecture
from lcrjax.training.networks.protocol import Backend
from lcrjax.training.networks.resnet18_native import calls
from lcrjax.training.networks.resnet18_native.adam import adam

LANES = 16


def serves(config: TrainingConfig, at_once: int) -> bool:
    """Say whether models of this recipe can be trained by native kernels here."""
    return (
        at_once == 1
        and jax.default_backend() == "cpu"
        and config.precision == "float32"
        and config.base_channels % LANES == 0
        and jnp.result_type(float) == jnp.float32
        and native.available()
    )


@dataclasses.dataclass(frozen=True)
class NativeBackend(Backend):
    """ResNet-18 as calls of kernels.

    Attributes:
        network: The same network in XLA: the reference, and where initial weights come from.
        stem: Side of the first kernel, as in `Architecture`.
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
        given = None if training else statistics.values
        shape = self._architecture(params, images)
        logits, used = calls.forward(params, given, images, weights, shape)
        return logits, dataclasses.replace(statistics, values=used)

    def inference_batch(self, n: int, config: TrainingConfig) -> int:
        """Say how many images should be classified at a time: kernels are evaluated once for each.

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
        return calls.gradient(params, images, labels, weights, self._architecture(params, images))

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
