"""The few compiled programs that train any number of models on one dataset.

Many train for whole epochs at a time, one on many images for some steps at a time.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer

from lcrjax.training.batches import Images, as_input, count_batches, shuffle
from lcrjax.training.compiler import compiled
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend, ImageShape
from lcrjax.training.optimizer import make_schedule
from lcrjax.training.precise_batch_norm import recompute
from lcrjax.training.step import train_steps
from lcrjax.training.stopping import Passed, events, is_due, is_over, least_of_interest
from lcrjax.training.training_state import EpochState, ModelState, begin_epoch, initial_state

MODELS = "models"
_LAST_FACTOR = 0.01  # to which a cosine schedule takes the step size


class Programs(NamedTuple):
    """Jitted functions over a leading axis of models.

    Attributes:
        start: (k,) seeds -> k new models.
        advance: models, images, (k, capacity) indices, n, epochs, what they came past (None unless
            they go on beyond their stop) -> models, each trained until it is to be scored, has
            failed, or is so many epochs further. Subsets are padded to any capacity, and n, how
            many of their indices count, is traced: all sizes share one program.
        predict: models, a position, images -> class probabilities of that model in inference
            mode, as many images at a time as the backend says.
        select: models, (j,) positions -> those models.
        replace: models, (k,) flags, new models -> models, the flagged ones replaced.
    """

    start: Callable[[Array], ModelState]
    advance: Callable[..., ModelState]
    predict: Callable[[ModelState, Array, Images], Array]
    select: Callable[[ModelState, Array], ModelState]
    replace: Callable[[ModelState, Array, ModelState], ModelState]


@functools.lru_cache(maxsize=8)
def make_programs(
    backend: Backend, shape: ImageShape, n_classes: int, config: TrainingConfig
) -> Programs:
    """Return the programs of one network on one machine, one shape of data and one recipe.

    They are compiled on first use, once for every number of models: never for a subset, its
    size or its seed.

    Args:
        backend: What executes the network.
        shape: Height, width and channels of the images.
        n_classes: Number of classes.
        config: The recipe.
    """
    schedule = make_schedule(config.schedule, config.schedule_epochs, _LAST_FACTOR)

    def start(seeds: Integer[Array, " k"]) -> ModelState:
        def one(seed: Array) -> ModelState:
            return initial_state(jax.random.key(seed), shape, n_classes, backend, config)

        return _over_models(one)(seeds)

    def advance(
        models: ModelState,
        images: Images,
        subsets: Array,
        n: Array,
        epochs: Array,
        passed: Passed | None = None,
    ) -> ModelState:
        def train_epoch(m: ModelState, subset: Array) -> ModelState:
            order = shuffle(jax.random.fold_in(m.key, m.epoch), subset, n)
            steps = jnp.asarray(count_batches(n, config.batch_size))
            epoch = train_steps(begin_epoch(m), images, order, n, steps, schedule, backend, config)
            running = epoch.right / n.astype(jnp.float32)
            return dataclasses.replace(epoch.model, epoch=m.epoch + 1, running=running)

        def check(m: ModelState, subset: Array, passed: Passed | None) -> ModelState:
            due = is_due(m.running, config.check_above, m.epoch, config)
            wanted = least_of_interest(m.epoch, config)
            if passed is not None:
                now = events(m.epoch, m.running, m.accuracy, passed, config)
                scored = now.beyond | now.running
                due = jnp.where(passed.stop >= 0, False, due) | scored
                wanted = jnp.where(scored, 0.0, wanted)
            due = due & ~m.failed
            old = (m.statistics, m.accuracy)
            # Reduced over the models, the condition stays one under vmap instead of a selection.
            new = jax.lax.cond(
                jax.lax.pmax(due, MODELS) if len(subsets) > 1 else due,
                lambda: recompute(m, images, subset, n, backend, config, wanted),
                lambda: old,
            )
            statistics, accuracy = jax.tree.map(lambda a, b: jnp.where(due, a, b), new, old)
            return dataclasses.replace(m, statistics=statistics, accuracy=accuracy)

        def rests(m: ModelState, passed: Passed | None) -> Array:
            if passed is None:
                return is_over(m.epoch, m.accuracy, m.failed, config)
            return m.failed | events(m.epoch, m.running, m.accuracy, passed, config).any

        def one(
            model: ModelState, subset: Int[Array, " capacity"], passed: Passed | None
        ) -> ModelState:
            last = model.epoch + epochs
            return jax.lax.while_loop(
                lambda m: (m.epoch < last) & ~rests(m, passed),
                lambda m: check(train_epoch(m, subset), subset, passed),
                model,
            )

        return _over_models(one)(models, subsets, passed)

    def predict(models: ModelState, position: Array, images: Images) -> Float[Array, "n classes"]:
        # One model at a time: its predictions on a large test set are enough to store.
        model = jax.tree.map(lambda leaf: leaf[position if len(leaf) > 1 else 0], models)
        n = len(images.labels)
        size = backend.inference_batch(n, config)

        def block(start: Array) -> Array:
            place = start + jnp.arange(size)
            pixels = images.pixels[jnp.minimum(place, n - 1)]
            weights = (place < n).astype(jnp.float32)
            return classify(model, pixels, weights, backend, config)

        probabilities = jax.lax.map(block, jnp.arange(0, n, size))
        return probabilities.reshape(-1, probabilities.shape[-1])[:n]

    def select(models: ModelState, positions: Array) -> ModelState:
        return jax.tree.map(lambda leaf: leaf[positions], models)

    def replace(models: ModelState, flags: Array, new: ModelState) -> ModelState:
        def choose(old: Array, fresh: Array) -> Array:
            return jnp.where(flags.reshape(-1, *[1] * (old.ndim - 1)), fresh, old)

        return jax.tree.map(choose, models, new)

    return Programs(
        start=compiled(start, config),
        advance=compiled(advance, config, donate_argnums=0),
        predict=compiled(predict, config),
        select=compiled(select, config),
        replace=compiled(replace, config, donate_argnums=0),
    )


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
        found = {"statistics": statistics, "accuracy": accuracy}
        return begin_epoch(dataclasses.replace(model, epoch=model.epoch + 1, **found))

    def classify_block(model: ModelState, pixels: Array) -> Array:
        return classify(model, pixels, jnp.ones(len(pixels), jnp.float32), backend, config)

    return FullPrograms(
        start=compiled(start, config),
        shuffle=compiled(shuffled, config),
        advance=compiled(advance, config, donate_argnums=0),
        close=compiled(close, config, donate_argnums=0),
        classify=compiled(classify_block, config),
    )


def classify(
    model: ModelState,
    pixels: Array,
    weights: Float[Array, " b"],
    backend: Backend,
    config: TrainingConfig,
) -> Float[Array, "b classes"]:
    """Softmax probabilities in inference mode; those of images of weight zero mean nothing."""
    logits, _ = backend.forward(
        model.params, model.statistics, as_input(pixels, config.dtype), weights, training=False
    )
    return jax.nn.softmax(logits)


def _over_models(function: Callable[..., ModelState]) -> Callable[..., ModelState]:
    """Map over the leading axis; one model stays without it, for the convolution's sake."""

    def mapped(*arrays: object) -> ModelState:
        if len(jax.tree.leaves(arrays)[0]) > 1:
            return jax.vmap(function, axis_name=MODELS)(*arrays)
        alone = function(*jax.tree.map(lambda leaf: leaf[0], arrays))
        return jax.tree.map(lambda leaf: leaf[None], alone)

    return mapped
