"""The few compiled programs that train any number of models on one dataset."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer

from lcrjax.training.batches import Images
from lcrjax.training.config import TrainingConfig
from lcrjax.training.epochs import advance, predict
from lcrjax.training.networks.protocol import Backend, ImageShape
from lcrjax.training.training_state import ModelState, initial_state

MODELS = "models"


class Programs(NamedTuple):
    """Jitted functions over a leading axis of models.

    Attributes:
        start: (k,) seeds -> k new models.
        advance: models, images, (k, capacity) indices, n, epochs -> models.
        predict: models, a position, images -> class probabilities of that model.
        select: models, (j,) positions -> those models.
        replace: models, (k,) flags, new models -> models, the flagged ones replaced.
    """

    start: Callable[[Array], ModelState]
    advance: Callable[[ModelState, Images, Array, Array, Array], ModelState]
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

    def start(seeds: Integer[Array, " k"]) -> ModelState:
        def one(seed: Array) -> ModelState:
            return initial_state(jax.random.key(seed), shape, n_classes, backend, config)

        return _over_models(one)(seeds)

    def forward(
        models: ModelState, images: Images, subsets: Array, n: Array, epochs: Array
    ) -> ModelState:
        axis = MODELS if len(subsets) > 1 else None

        def one(model: ModelState, subset: Array) -> ModelState:
            return advance(model, images, subset, n, epochs, backend, config, axis)

        return _over_models(one)(models, subsets)

    def classify(models: ModelState, position: Array, images: Images) -> Float[Array, "n classes"]:
        # One model at a time: its predictions on a large test set are enough to store.
        model = jax.tree.map(lambda leaf: leaf[position if len(leaf) > 1 else 0], models)
        return predict(model, images, backend, config)

    def select(models: ModelState, positions: Array) -> ModelState:
        return jax.tree.map(lambda leaf: leaf[positions], models)

    def replace(models: ModelState, flags: Array, new: ModelState) -> ModelState:
        def choose(old: Array, fresh: Array) -> Array:
            return jnp.where(flags.reshape(-1, *[1] * (old.ndim - 1)), fresh, old)

        return jax.tree.map(choose, models, new)

    return Programs(
        start=jax.jit(start),
        advance=jax.jit(forward, donate_argnums=0),
        predict=jax.jit(classify),
        select=jax.jit(select),
        replace=jax.jit(replace, donate_argnums=0),
    )


def _over_models(function: Callable[..., ModelState]) -> Callable[..., ModelState]:
    """Map over the leading axis; one model stays without it, for the convolution's sake."""

    def mapped(*arrays: object) -> ModelState:
        if len(jax.tree.leaves(arrays)[0]) > 1:
            return jax.vmap(function, axis_name=MODELS)(*arrays)
        alone = function(*jax.tree.map(lambda leaf: leaf[0], arrays))
        return jax.tree.map(lambda leaf: leaf[None], alone)

    return mapped
