"""One model in training: its weights, its optimizer and its place in the course."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from flax import nnx
from jaxtyping import Array

from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.resnet18 import Architecture, ResNet18


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ModelState:
    """Everything that changes while a model trains.

    Attributes:
        params: Trainable weights.
        stats: Batch normalisation's statistics: settled ones once `accuracy` is not NaN.
        moments: State of the optimizer.
        key: Random key of the order of images.
        epoch: Epochs done.
        running: Training accuracy of the latest epoch, in training mode, weights changing.
        accuracy: Training accuracy in inference mode when last checked, NaN before.
        done: Whether the target was met.
        failed: Whether the loss became NaN or infinite.
    """

    params: nnx.State
    stats: nnx.State
    moments: optax.OptState
    key: Array
    epoch: Array
    running: Array
    accuracy: Array
    done: Array
    failed: Array


@functools.cache
def network(architecture: Architecture) -> nnx.GraphDef:
    """Return the static half of the network."""
    abstract = nnx.eval_shape(lambda: ResNet18(architecture, rngs=nnx.Rngs(0)))
    return nnx.split(abstract, nnx.Param, nnx.BatchStat)[0]


def make_optimizer(config: TrainingConfig) -> optax.GradientTransformation:
    """Return the optimizer that `config` names."""
    rate: float | optax.Schedule = config.learning_rate
    if config.warmup_steps:
        rate = optax.linear_schedule(0.0, config.learning_rate, config.warmup_steps)
    decay = optax.add_decayed_weights(
        config.weight_decay, mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params)
    )
    shape = {
        "adam": optax.scale_by_adam(),
        "adamw": optax.scale_by_adam(),
        "sgd": optax.trace(decay=0.9, nesterov=True),
    }[config.optimizer]
    decayed = [shape, decay] if config.weight_decay else [shape]
    return optax.chain(*decayed, optax.scale_by_learning_rate(rate))


def initial_state(key: Array, architecture: Architecture, config: TrainingConfig) -> ModelState:
    """Draw a model's weights."""
    weights_key, order_key = jax.random.split(key)
    model = ResNet18(architecture, rngs=nnx.Rngs(weights_key))
    _, params, stats = nnx.split(model, nnx.Param, nnx.BatchStat)  # type: ignore[misc]
    return ModelState(
        params=params,
        stats=stats,
        moments=make_optimizer(config).init(params),
        key=order_key,
        epoch=jnp.int32(0),
        running=jnp.float32(0),
        accuracy=jnp.float32(jnp.nan),
        done=jnp.bool_(False),
        failed=jnp.bool_(False),
    )
