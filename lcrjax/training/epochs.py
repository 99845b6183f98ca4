"""Whole epochs of one model, with the stopping test, as one traceable function."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lcrjax.training.batches import Images, as_input, count_batches, shuffle
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend
from lcrjax.training.optimizer import make_schedule
from lcrjax.training.precise_batch_norm import recompute
from lcrjax.training.step import train_steps
from lcrjax.training.stopping import is_due, is_over, least_of_interest
from lcrjax.training.training_state import ModelState, begin_epoch

_LAST_FACTOR = 0.01  # to which a cosine schedule takes the step size


def advance(
    model: ModelState,
    images: Images,
    subset: Int[Array, " capacity"],
    n: Int[Array, ""],
    epochs: Int[Array, ""],
    backend: Backend,
    config: TrainingConfig,
    axis: str | None = None,
) -> ModelState:
    """Train one model until it is done, has failed, or is `epochs` epochs further.

    Args:
        model: The model.
        images: Training images of the dataset.
        subset: Indices of the subset's images, padded to any capacity.
        n: How many of them count; traced, so that subsets of any size share one program.
        epochs: Most epochs to train; traced.
        backend: What executes the network; static.
        config: The recipe; static.
        axis: Name of the `vmap` axis of models that advance together, None for one alone.

    Returns:
        The model after training.
    """
    last = model.epoch + epochs

    def goes_on(m: ModelState) -> Array:
        return (m.epoch < last) & ~is_over(m.epoch, m.accuracy, m.failed, config)

    def one_epoch(m: ModelState) -> ModelState:
        m = _train_epoch(m, images, subset, n, backend, config)
        due = is_due(m.running, config.check_above, m.epoch, config) & ~m.failed
        wanted = least_of_interest(m.epoch, config)
        old = (m.statistics, m.accuracy)
        # Reduced over the models, the condition stays one under vmap instead of a selection.
        new = jax.lax.cond(
            due if axis is None else jax.lax.pmax(due, axis),
            lambda: recompute(m, images, subset, n, backend, config, wanted),
            lambda: old,
        )
        statistics, accuracy = jax.tree.map(lambda a, b: jnp.where(due, a, b), new, old)
        return dataclasses.replace(m, statistics=statistics, accuracy=accuracy)

    return jax.lax.while_loop(goes_on, one_epoch, model)


def _train_epoch(
    model: ModelState,
    images: Images,
    subset: Array,
    n: Array,
    backend: Backend,
    config: TrainingConfig,
) -> ModelState:
    """Pass over the subset once, in a new order."""
    order = shuffle(jax.random.fold_in(model.key, model.epoch), subset, n)
    schedule = make_schedule(config.schedule, config.schedule_epochs, _LAST_FACTOR)
    steps = jnp.asarray(count_batches(n, config.batch_size))
    epoch = train_steps(begin_epoch(model), images, order, n, steps, schedule, backend, config)
    running = epoch.right / n.astype(jnp.float32)
    return dataclasses.replace(epoch.model, epoch=model.epoch + 1, running=running)


def predict(
    model: ModelState, images: Images, backend: Backend, config: TrainingConfig
) -> Float[Array, "n classes"]:
    """Class probabilities in inference mode, as many at a time as the backend says.

    Args:
        model: A model whose statistics are those of its training images.
        images: Images to classify.
        backend: What executes the network; static.
        config: The recipe; static.

    Returns:
        Softmax probabilities, float32.
    """
    n, size = len(images.labels), backend.inference_batch(len(images.labels), config)
    starts = jnp.arange(0, n, size)

    def classify(start: Array) -> Array:
        place = start + jnp.arange(size)
        pixels = as_input(images.pixels[jnp.minimum(place, n - 1)], config.precision)
        weights = (place < n).astype(jnp.float32)
        logits, _ = backend.forward(model.params, model.statistics, pixels, weights, training=False)
        return jax.nn.softmax(logits)

    probabilities = jax.lax.map(classify, starts)
    return probabilities.reshape(-1, probabilities.shape[-1])[:n]
