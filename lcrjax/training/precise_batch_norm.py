"""Precise batch normalisation: statistics recomputed with the weights held still.

The running averages that training leaves behind lag behind the weights (Wu & Johnson 2021,
"Rethinking 'Batch' in BatchNorm", section 3).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from lcrjax.training.batches import Images, as_input, count_batches, cut
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend
from lcrjax.training.training_state import ModelState


def recompute(
    model: ModelState,
    images: Images,
    indices: Int[Array, " capacity"],
    n: Int[Array, ""],
    backend: Backend,
    config: TrainingConfig,
    wanted: ArrayLike = 0.0,
) -> tuple[Any, Float[Array, ""]]:
    """Recompute statistics over images, then count accuracy in inference mode.

    The statistics are the means over equal batches of the batches' means and variances, plus
    the variance of the means. Images that fit in one batch give their exact statistics. A
    network without statistics is only counted.

    Args:
        model: A model after an epoch.
        images: Training images of the dataset.
        indices: Indices of images, padded to any capacity.
        n: How many of them count; traced.
        backend: What executes the network; static.
        config: The recipe; static.
        wanted: Accuracy that matters. Once it is out of reach no further image is looked at.

    Returns:
        The statistics, and the share of the images that is classified correctly with them,
        counted to the end if it is at least `wanted`.

    Raises:
        ValueError: If the network's statistics are not pairs named `mean` and `var`.
    """
    size, total = config.settling_batch, n.astype(jnp.float32)
    steps = jnp.asarray(count_batches(n, size))

    def run(i: Array, statistics: Any, *, training: bool) -> tuple[Any, Array, Array]:
        batch = cut(indices, n, size, i)
        pixels = as_input(images.pixels[batch.chosen], config.dtype)
        logits, statistics = backend.forward(
            model.params, statistics, pixels, batch.weights, training=training
        )
        labels = images.labels[batch.chosen]
        right = jnp.argmax(logits, 1).astype(labels.dtype) == labels
        return statistics, jnp.where(right, batch.weights, 0.0).sum(), batch.weights.sum()

    def add(i: Array, carry: tuple[Any, Array]) -> tuple[Any, Array]:
        moments, right = carry
        statistics, hits, weight = run(i, model.statistics, training=True)
        share = weight / total
        squares = _map_variances(statistics, lambda mean, variance: variance + mean * mean)
        return jax.tree.map(lambda t, m: t + share * m, moments, squares), right + hits

    statistics, seen, again = model.statistics, jnp.float32(0), steps
    if jax.tree.leaves(statistics):
        zeros = jax.tree.map(jnp.zeros_like, statistics)
        moments, seen = jax.lax.fori_loop(0, steps, add, (zeros, seen))
        statistics = _map_variances(moments, lambda mean, sq: jnp.maximum(sq - mean * mean, 0.0))
        # A single batch was normalised by the statistics found: that was inference mode.
        again = jnp.where(steps > 1, steps, 0)

    def may_reach(carry: tuple[Array, Array]) -> Array:
        i, right = carry
        left = (n - i * n // steps).astype(jnp.float32)
        return (i < again) & ((right + left) / total >= wanted)

    def count(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        i, right = carry
        return i + 1, right + run(i, statistics, training=False)[1]

    right = jax.lax.while_loop(may_reach, count, (jnp.int32(0), jnp.float32(0)))[1]
    return statistics, jnp.where(again > 0, right, seen) / total


def _map_variances(tree: Any, function: Callable[[Array, Array], Array]) -> Any:
    """Replace every `var` by a function of the `mean` beside it and of itself."""
    leaves, structure = jax.tree.flatten_with_path(tree)
    named = {(path[:-1], jax.tree_util.keystr(path[-1:], simple=True)): x for path, x in leaves}
    if any(name not in ("mean", "var") or (above, "mean") not in named for above, name in named):
        found = [jax.tree_util.keystr(path) for path, _ in leaves]
        raise ValueError(
            f"the network's statistics are {found}: name each a mean or, beside one, a var"
        )
    changed = [
        function(named[above, "mean"], x) if name == "var" else x
        for (above, name), x in named.items()
    ]
    return jax.tree.unflatten(structure, changed)
