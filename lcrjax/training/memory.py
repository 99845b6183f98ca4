"""Models that advance together, and subsets that make a block."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import ImageShape, Network, choose_backend

WIDEST = 64
IMAGES_PER_BLOCK = 2048
SUBSETS_PER_BLOCK = 16


def model_bytes(network: Network, shape: ImageShape, n_classes: int, config: TrainingConfig) -> int:
    """Estimate the memory that one of several models in training needs.

    Weights, gradient and two moments; and of a batch what the derivative keeps, twice, for what
    it computes on the way.
    """
    backend = choose_backend(network, config, WIDEST)
    size = max(config.batch_size, config.settling_batch // 4)

    def kept(images: Array, weights: Array) -> tuple[object, object]:
        params, statistics = backend.init(jax.random.key(0), shape, n_classes)

        def logits(params: object) -> Array:
            return backend.forward(params, statistics, images, weights, training=True)[0]

        return params, jax.vjp(logits, params)[1]

    params, residuals = jax.eval_shape(
        kept,
        jax.ShapeDtypeStruct((size, *shape), config.dtype),
        jax.ShapeDtypeStruct((size,), jnp.float32),
    )
    ours, theirs = (
        sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
        for tree in (params, residuals)
    )
    return 4 * ours + 2 * (theirs - ours)


def models_at_once(
    network: Network, shape: ImageShape, n_classes: int, config: TrainingConfig
) -> int:
    """Say how many models advance together.

    One on a CPU, where a batch fills the cores and convolutions of one model are faster;
    elsewhere the largest power of two, 64 at most, that the memory budget allows.
    """
    if config.models_at_once is not None:
        return config.models_at_once
    if jax.default_backend() == "cpu":
        return 1
    fits = int(config.memory_gib * 2**30) // model_bytes(network, shape, n_classes, config)
    return 1 << (max(1, min(WIDEST, fits)).bit_length() - 1)


def subsets_per_block(n: int, at_once: int) -> int:
    """Say how many subsets of `n` images make a block of a few minutes."""
    return max(2 * at_once if at_once > 1 else 1, min(SUBSETS_PER_BLOCK, IMAGES_PER_BLOCK // n), 1)
