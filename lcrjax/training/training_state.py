"""The state of a model in training: its weights, its optimizer and how far it has come."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, Float, Int

from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend, ImageShape
from lcrjax.training.optimizer import make_optimizer


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ModelState:
    """Everything that changes while a model trains.

    Attributes:
        params: Trainable weights.
        statistics: Batch normalisation's statistics: those of the training images once
            `accuracy` is not NaN.
        moments: State of the optimizer.
        key: Random key of the order of images.
        epoch: Epochs done.
        running: Training accuracy of the latest epoch, in training mode, weights changing.
        accuracy: Training accuracy in inference mode when last counted, NaN before.
        failed: Whether the loss became NaN or infinite.
    """

    params: Any
    statistics: Any
    moments: optax.OptState
    key: Array
    epoch: Array
    running: Array
    accuracy: Array
    failed: Array


@register_dataclass
@dataclasses.dataclass(frozen=True)
class EpochState:
    """A model somewhere in an epoch.

    Attributes:
        model: The model; its `epoch` counts whole epochs.
        step: Steps done of the epoch.
        loss: Sum of the losses of this epoch's images, each taken when its batch was trained on.
        right: How many of them were classified correctly then.
    """

    model: ModelState
    step: Int[Array, ""]
    loss: Float[Array, ""]
    right: Float[Array, ""]


def initial_state(
    key: Array, shape: ImageShape, n_classes: int, backend: Backend, config: TrainingConfig
) -> ModelState:
    """Draw a model's weights."""
    weights_key, order_key = jax.random.split(key)
    params, statistics = backend.init(weights_key, shape, n_classes)
    return ModelState(
        params=params,
        statistics=statistics,
        moments=make_optimizer(config).init(params),
        key=order_key,
        epoch=jnp.int32(0),
        running=jnp.float32(0),
        accuracy=jnp.float32(jnp.nan),
        failed=jnp.bool_(False),
    )


def begin_epoch(model: ModelState) -> EpochState:
    """Return a model before the first step of its next epoch."""
    return EpochState(model, jnp.int32(0), jnp.float32(0), jnp.float32(0))
