"""The optimizer and its step size over the epochs of a model."""

import jax
import optax  # type: ignore[import-untyped]

from lcrjax.training.config import TrainingConfig


def make_optimizer(config: TrainingConfig) -> optax.GradientTransformation:
    """Return the optimizer that `config` names."""
    rate: float | optax.Schedule = config.learning_rate
    if config.warmup_steps:
        rate = optax.linear_schedule(0.0, config.learning_rate, config.warmup_steps)
    decay = optax.add_decayed_weights(
        config.weight_decay, mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params)
    )
    nesterov = optax.trace(decay=0.9, nesterov=True)
    shape = nesterov if config.optimizer == "sgd" else optax.scale_by_adam()
    decayed = [shape, decay] if config.weight_decay else [shape]
    return optax.chain(*decayed, optax.scale_by_learning_rate(rate))


def make_schedule(kind: str, epochs: int, last: float = 0.0) -> optax.Schedule:
    """Return what the step size is multiplied by, as a function of the epochs done.

    Args:
        kind: One of `SCHEDULES`.
        epochs: Epochs over which a cosine schedule falls from 1.
        last: What it falls to and stays at, in [0, 1].
    """
    if kind == "constant":
        return optax.constant_schedule(1.0)
    return optax.cosine_decay_schedule(1.0, epochs, alpha=last)
