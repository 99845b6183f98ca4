"""The compiled programs that train one model on many images, some steps at a time."""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lcrjax.training.batches import Images, as_input, shuffle
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend, ImageShape
from lcrjax.training.optimizer import make_schedule
from lcrjax.training.precise_batch_norm import recompute
from lcrjax.training.step import train_steps
from lcrjax.training.training_state import EpochState, ModelState, begin_epoch, initial_state


class FullPrograms(NamedTuple):
    """Jitted functions for one model.

    Attributes:
        start: seed -> a new model at the start of its first epoch.
        shuffle: epoch, indices padded to any capacity, how many of them count -> the indices in
            the order of the epoch.
        advance: epoch, images, order, how many of it count, steps -> the epoch so many steps
            later, but not beyond its end.
        close: epoch, images, sample, how many of it count -> the start of the next epoch, with
            statistics recomputed over the sample and `accuracy` in inference mode over it.
        classify: model, a block of pixels -> class probabilities in inference mode.
    """

    start: Callable[[Array], EpochState]
    shuffle: Callable[[EpochState, Array, Array], Array]
    advance: Callable[[EpochState, Images, Array, Array, Array], EpochState]
    close: Callable[[EpochState, Images, Array, Array], EpochState]
    classify: Callable[[ModelState, Array], Array]


@functools.lru_cache(maxsize=8)
def make_full_programs(
    backend: Backend, shape: ImageShape, n_classes: int, config: TrainingConfig, schedule: str
) -> FullPrograms:
    """Return the programs of one network on one machine, one shape of data and one recipe.

    Args:
        backend: What executes the network.
        shape: Height, width and channels of the images.
        n_classes: Number of classes.
        config: The recipe.
        schedule: "cosine": the step size falls to zero over `config.max_epochs` epochs;
            "constant": it stays.
    """
    factor = make_schedule(schedule, config.max_epochs)

    def start(seed: Array) -> EpochState:
        model = initial_state(jax.random.key(seed), shape, n_classes, backend, config)
        return begin_epoch(model)

    def shuffled(epoch: EpochState, indices: Array, n: Array) -> Array:
        return shuffle(jax.random.fold_in(epoch.model.key, epoch.model.epoch), indices, n)

    def advance(
        epoch: EpochState, images: Images, order: Array, n: Array, steps: Array
    ) -> EpochState:
        return train_steps(epoch, images, order, n, steps, factor, backend, config)

    def close(epoch: EpochState, images: Images, sample: Array, n: Array) -> EpochState:
        model = epoch.model
        statistics, accuracy = recompute(model, images, sample, n, backend, config)
        return begin_epoch(
            dataclasses.replace(
                model, statistics=statistics, accuracy=accuracy, epoch=model.epoch + 1
            )
        )

    def classify(model: ModelState, pixels: Array) -> Array:
        weights = jnp.ones(len(pixels), jnp.float32)
        logits, _ = backend.forward(
            model.params,
            model.statistics,
            as_input(pixels, config.precision),
            weights,
            training=False,
        )
        return jax.nn.softmax(logits)

    return FullPrograms(
        start=jax.jit(start),
        shuffle=jax.jit(shuffled),
        advance=jax.jit(advance, donate_argnums=0),
        close=jax.jit(close, donate_argnums=0),
        classify=jax.jit(classify),
    )
