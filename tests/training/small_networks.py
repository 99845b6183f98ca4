"""Networks that compile in a moment: by hand, and as modules."""

import jax
import jax.numpy as jnp
from flax import nnx

from lcrjax.training import Network, from_nnx


def init(key, shape, n_classes):
    first, second = jax.random.split(key)
    pixels = shape[0] * shape[1] * shape[2]
    return {
        "hidden": jax.random.normal(first, (pixels, 32), jnp.float32) * pixels**-0.5,
        "out": jax.random.normal(second, (32, n_classes), jnp.float32) * 32**-0.5,
    }, {}


def apply(params, statistics, images, weights, training):
    flat = images.reshape(len(images), -1)
    return jax.nn.relu(flat @ params["hidden"]) @ params["out"], statistics


#: Two layers without normalisation.
PLAIN = Network("plain", init, apply)


class Normalised(nnx.Module):
    """A convolution, flax's batch normalisation, and a linear layer."""

    def __init__(self, shape, n_classes, rngs):
        self.convolution = nnx.Conv(shape[2], 8, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(8, momentum=0.0, rngs=rngs)
        self.linear = nnx.Linear(8 * (shape[0] // 2) * (shape[1] // 2), n_classes, rngs=rngs)

    def __call__(self, images, weights):
        mask = None if weights is None else weights[:, None, None, None] > 0
        x = self.norm(self.convolution(images), use_running_average=weights is None, mask=mask)
        return self.linear(jax.nn.relu(x).reshape(len(x), -1))


NORMALISED = from_nnx(Normalised, "normalised")
