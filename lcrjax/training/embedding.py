"""Embeddings of images by a trained ResNet-18: what its last layer classifies."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from lcrjax.numerics.pixels import check_pixels
from lcrjax.training.batches import as_input
from lcrjax.training.compiler import compiled
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend

#: Images that one call of the program embeds.
_AT_ONCE = 256


def embed_images(
    images: Num[np.ndarray, "n h w c"],
    params: Any,
    statistics: Any,
    backend: Backend,
    config: TrainingConfig,
) -> Float[np.ndarray, "n d"]:
    """Compute the layer before the last, the mean of the last maps, in inference mode.

    Args:
        images: uint8, or floats in [0, 1]; n > 0.
        params: Weights of a ResNet-18.
        statistics: Those of its batch normalisation.
        backend: What executes it.
        config: The recipe that it was trained by.

    Raises:
        ValueError: If a pixel is out of range.
    """
    check_pixels(images)
    images = images if images.dtype == np.uint8 else images.astype(np.float32)
    width = params["weight"].shape[0]
    # A classifier of as many classes as there are features, whose logits are the features.
    head = {"weight": jnp.eye(width, dtype=jnp.float32), "bias": jnp.zeros(width, jnp.float32)}
    program, n = _program(backend, config), len(images)
    filled = np.resize(np.arange(n), (-(-n // _AT_ONCE), _AT_ONCE))
    found = [program(params | head, statistics, jnp.asarray(images[chosen])) for chosen in filled]
    return np.concatenate(found)[:n]


@functools.lru_cache(maxsize=8)
def _program(backend: Backend, config: TrainingConfig) -> Any:
    def features(params: Any, statistics: Any, pixels: Array) -> Array:
        weights = jnp.ones(len(pixels), jnp.float32)
        given = as_input(pixels, config.dtype)
        return backend.forward(params, statistics, given, weights, training=False)[0]

    return compiled(features, config)
