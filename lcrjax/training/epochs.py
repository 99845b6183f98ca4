"""Whole epochs of one model, with the stopping test, as one traceable function."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from flax import nnx
from jaxtyping import Array, ArrayLike, Float, Int

from lcrjax.training.config import TrainingConfig
from lcrjax.training.descent import cosine_factor, descend
from lcrjax.training.networks import resnet18_native
from lcrjax.training.networks.resnet18 import Architecture
from lcrjax.training.training_state import ModelState, network

_LAST_FACTOR = 0.01  # to which a cosine schedule takes the step size


class Images(NamedTuple):
    """A dataset on the device: (n, h, w, c) uint8 or float in [0, 1], and (n,) int32 labels."""

    pixels: Array
    labels: Array


def as_input(pixels: Array, precision: str) -> Array:
    """Scale pixels to [-1, 1]."""
    scaled = pixels.astype(jnp.float32)
    if pixels.dtype == jnp.uint8:
        scaled = scaled / 255.0
    return (2.0 * scaled - 1.0).astype(precision)


def advance(
    state: ModelState,
    images: Images,
    subset: Int[Array, " capacity"],
    n: Int[Array, ""],
    epochs: Int[Array, ""],
    architecture: Architecture,
    config: TrainingConfig,
    axis: str | None = None,
) -> ModelState:
    """Train one model until it is done, has failed, or is `epochs` epochs further.

    Args:
        state: The model.
        images: Training images of the dataset.
        subset: Indices of the subset's images, padded to any capacity.
        n: How many of them count; traced, so that subsets of any size share one program.
        epochs: Most epochs to train; traced.
        architecture: Shape of the network; static.
        config: The recipe; static.
        axis: Name of the `vmap` axis of models that advance together, None for one alone.

    Returns:
        The model after training.
    """
    last = jnp.minimum(state.epoch + epochs, config.max_epochs)

    def goes_on(s: ModelState) -> Array:
        return (s.epoch < last) & ~s.done & ~s.failed

    def one_epoch(s: ModelState) -> ModelState:
        s = _train_epoch(s, images, subset, n, architecture, config)
        due = ((s.running >= config.check_above) | (s.epoch >= config.max_epochs)) & ~s.failed
        wanted = jnp.where(s.epoch < config.max_epochs, config.target_accuracy, 0.0)
        # Reduced over the models, the condition stays one under vmap instead of a selection.
        stats, accuracy = jax.lax.cond(
            due if axis is None else jax.lax.pmax(due, axis),
            lambda: settle(s, images, subset, n, architecture, config, wanted),
            lambda: (s.stats, s.accuracy),
        )
        stats, accuracy = jax.tree.map(
            lambda new, old: jnp.where(due, new, old), (stats, accuracy), (s.stats, s.accuracy)
        )
        done = due & (accuracy >= config.target_accuracy)
        return dataclasses.replace(s, stats=stats, accuracy=accuracy, done=done)

    return jax.lax.while_loop(goes_on, one_epoch, state)


def _train_epoch(
    state: ModelState,
    images: Images,
    subset: Array,
    n: Array,
    architecture: Architecture,
    config: TrainingConfig,
) -> ModelState:
    """Pass over the subset once, in a new order."""
    size = config.batch_size
    order = _shuffle(jax.random.fold_in(state.key, state.epoch), subset, n)
    order = jnp.pad(order, (0, size))
    steps = (n + size - 1) // size

    def step(i, carry):  # type: ignore[no-untyped-def]
        params, moments, right, sound = carry
        # Batches differ by one image at most: none is too small for batch normalisation.
        start, end = i * n // steps, (i + 1) * n // steps
        chosen = jax.lax.dynamic_slice(order, (start,), (size,))
        weights = (jnp.arange(size) < end - start).astype(jnp.float32)
        gradient, loss, hits = batch_gradient(
            params, state.stats, images, chosen, weights, architecture, config
        )
        factor: ArrayLike = 1.0
        if config.schedule == "cosine":
            epochs = state.epoch + i / steps
            factor = cosine_factor(epochs, config.schedule_epochs, _LAST_FACTOR)
        params, moments = descend(params, moments, gradient, architecture, config, factor)
        return params, moments, right + hits, sound & jnp.isfinite(loss)

    params, moments, right, sound = jax.lax.fori_loop(
        0, steps, step, (state.params, state.moments, jnp.float32(0), jnp.bool_(True))
    )
    return dataclasses.replace(
        state,
        params=params,
        moments=moments,
        epoch=state.epoch + 1,
        running=right / n,
        failed=~sound,
    )


def batch_gradient(
    params: nnx.State,
    stats: nnx.State,
    images: Images,
    chosen: Int[Array, " b"],
    weights: Float[Array, " b"],
    architecture: Architecture,
    config: TrainingConfig,
) -> tuple[nnx.State, Float[Array, ""], Float[Array, ""]]:
    """Differentiate the mean cross-entropy of one batch, normalised by its own statistics.

    Args:
        params: Trainable weights.
        stats: Batch normalisation's statistics, for their shape only.
        images: The images that `chosen` indexes.
        chosen: Indices of the batch.
        weights: One weight per image, 0 for padding.
        architecture: Shape of the network; static.
        config: The recipe; static.

    Returns:
        The gradient, the loss, and how many images were classified correctly.
    """
    pixels, labels = as_input(images.pixels[chosen], config.precision), images.labels[chosen]
    if architecture.native:
        return resnet18_native.gradient(params, pixels, labels, weights, architecture)
    graph = network(architecture)

    def loss_of(params, pixels, labels):  # type: ignore[no-untyped-def]
        logits = nnx.merge(graph, params, stats, copy=True)(pixels, weights)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        right = (jnp.argmax(logits, 1) == labels) * weights
        return (losses * weights).sum() / weights.sum(), right.sum()

    (loss, right), gradient = jax.value_and_grad(loss_of, has_aux=True)(params, pixels, labels)
    return gradient, loss, right


def run_network(
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
        pixels: Images as numbers; the compute dtype follows them.
        weights: One weight per image, 0 for padding, whose logits mean nothing.
        architecture: Shape of the network; static.
        settled: Whether to normalise by `stats`, rather than by the batch's own statistics.

    Returns:
        Logits, and the statistics that were used.
    """
    if architecture.native:
        return resnet18_native.forward(
            params, stats, pixels, weights, architecture, settled=settled
        )
    model = nnx.merge(network(architecture), params, stats, copy=True)
    logits = model(pixels, None if settled else weights)
    return logits, nnx.state(model, nnx.BatchStat)


def _shuffle(key: Array, subset: Array, n: Array) -> Array:
    """Permute the first `n` entries, the same whatever the capacity."""
    position = jnp.arange(subset.shape[0])
    bits = jax.vmap(lambda i: jax.random.bits(jax.random.fold_in(key, i)))(position)
    return jax.lax.sort((position >= n, bits, subset), num_keys=2)[2]


def settle(
    state: ModelState,
    images: Images,
    subset: Int[Array, " capacity"],
    n: Int[Array, ""],
    architecture: Architecture,
    config: TrainingConfig,
    wanted: ArrayLike = 0.0,
) -> tuple[nnx.State, Float[Array, ""]]:
    """Settle batch normalisation over the subset, then count accuracy in inference mode.

    The statistics are the means over equal batches of the batches' means and variances, plus
    the variance of the means, with the weights held still. A subset of one settling batch gets
    its exact statistics.

    Args:
        state: A model after an epoch.
        images: Training images of the dataset.
        subset: Indices of the subset's images, padded to any capacity.
        n: How many of them count; traced.
        architecture: Shape of the network; static.
        config: The recipe; static.
        wanted: Accuracy that matters. Once it is out of reach no further image is looked at.

    Returns:
        The settled statistics, and the share of the subset that is classified correctly with
        them, counted to the end if it is at least `wanted`.
    """
    size = config.settling_batch
    padded = jnp.pad(subset, (0, size))
    steps = (n + size - 1) // size

    def batch(i, stats, settled):  # type: ignore[no-untyped-def]
        start, end = i * n // steps, (i + 1) * n // steps
        chosen = jax.lax.dynamic_slice(padded, (start,), (size,))
        weights = (jnp.arange(size) < end - start).astype(jnp.float32)
        pixels = as_input(images.pixels[chosen], config.precision)
        logits, stats = run_network(
            state.params, stats, pixels, weights, architecture, settled=settled
        )
        right = ((jnp.argmax(logits, 1) == images.labels[chosen]) * weights).sum()
        return stats, right, weights.sum() / n

    def gather(i, carry):  # type: ignore[no-untyped-def]
        total, right = carry
        stats, hits, share = batch(i, state.stats, False)
        total = jax.tree.map(lambda t, m: t + share * m, total, _to_moments(stats))
        return total, right + hits

    zeros = jax.tree.map(jnp.zeros_like, state.stats)
    moments, in_one = jax.lax.fori_loop(0, steps, gather, (zeros, jnp.float32(0)))
    stats = _from_moments(moments)
    # A single batch was normalised by what it settles: it has been seen in inference mode.
    again = jnp.where(steps > 1, steps, 0)

    def may_do(carry: tuple[Array, Array]) -> Array:
        i, right = carry
        most = (right + (n - i * n // steps)) / n  # if all that follow are right
        return (i < again) & (most >= wanted)

    def count(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        i, right = carry
        return i + 1, right + batch(i, stats, True)[1]

    right = jax.lax.while_loop(may_do, count, (jnp.int32(0), jnp.float32(0)))[1]
    return stats, jnp.where(steps > 1, right, in_one) / n


def _to_moments(stats: nnx.State) -> nnx.State:
    """Turn every (mean, variance) into (mean, mean of squares)."""
    return _pairwise(stats, lambda mean, variance: variance + mean * mean)


def _from_moments(moments: nnx.State) -> nnx.State:
    return _pairwise(moments, lambda mean, square: jnp.maximum(square - mean * mean, 0.0))


def _pairwise(stats: nnx.State, second) -> nnx.State:  # type: ignore[no-untyped-def]
    flat = dict(nnx.to_flat_state(stats))
    changed = {
        path: value.replace(second(flat[(*path[:-1], "mean")][...], value[...]))
        if path[-1] == "variance"
        else value
        for path, value in flat.items()
    }
    return nnx.from_flat_state(changed)


def predict(
    state: ModelState, images: Images, architecture: Architecture, config: TrainingConfig
) -> Float[Array, "n classes"]:
    """Class probabilities in inference mode, one or (native) up to four settling batches at a time.

    Args:
        state: A model whose statistics are settled.
        images: Images to classify.
        architecture: Shape of the network; static.
        config: The recipe; static.

    Returns:
        Softmax probabilities, float32.
    """
    n, size = len(images.labels), config.settling_batch
    if architecture.native:
        # Kernels are evaluated once for each batch, and large maps do not grow with it.
        batches = -(-n // (4 * size))
        size = -(-n // max(1, batches))
    starts = jnp.arange(0, n, size)

    def classify(start: Array) -> Array:
        place = start + jnp.arange(size)
        pixels = as_input(images.pixels[jnp.minimum(place, n - 1)], config.precision)
        weights = (place < n).astype(jnp.float32)
        logits, _ = run_network(
            state.params, state.stats, pixels, weights, architecture, settled=True
        )
        return jax.nn.softmax(logits)

    return jax.lax.map(classify, starts).reshape(-1, architecture.n_classes)[:n]
