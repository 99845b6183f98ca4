"""The few compiled programs that train any number of models on one dataset."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lcrjax.training.config import TrainingConfig
from lcrjax.training.epochs import Images, advance, predict
from lcrjax.training.metrics import Scores, score
from lcrjax.training.networks.resnet18 import Architecture
from lcrjax.training.training_state import ModelState, initial_state

MODELS = "models"


class Programs(NamedTuple):
    """Jitted functions over a leading axis of models.

    Attributes:
        start: (k,) seeds -> k new models.
        advance: models, images, (k, capacity) indices, n, epochs -> models.
        evaluate: models, a position, test images -> scores of that model.
        select: models, (j,) positions -> those models.
        replace: models, (k,) flags, new models -> models, the flagged ones replaced.
    """

    start: Callable[[Array], ModelState]
    advance: Callable[[ModelState, Images, Array, Array, Array], ModelState]
    evaluate: Callable[[ModelState, Array, Images], Scores]
    select: Callable[[ModelState, Array], ModelState]
    replace: Callable[[ModelState, Array, ModelState], ModelState]


@functools.lru_cache(maxsize=8)
def make_programs(architecture: Architecture, config: TrainingConfig) -> Programs:
    """Return the programs of one shape of data and one recipe.

    They are compiled on first use, once for every number of models: never for a subset, its
    size or its seed.
    """

    def start(seeds: Int[Array, " k"]) -> ModelState:
        def one(seed: Array) -> ModelState:
            return initial_state(jax.random.key(seed), architecture, config)

        return _over_models(one)(seeds)

    def forward(
        models: ModelState, images: Images, subsets: Array, n: Array, epochs: Array
    ) -> ModelState:
        axis = MODELS if len(subsets) > 1 else None

        def one(model: ModelState, subset: Array) -> ModelState:
            return advance(model, images, subset, n, epochs, architecture, config, axis)

        return _over_models(one)(models, subsets)

    def evaluate(models: ModelState, position: Array, test: Images) -> Scores:
        # One model at a time: its predictions on a large test set are enough to store.
        model = jax.tree.map(lambda leaf: leaf[position if len(leaf) > 1 else 0], models)
        return score(predict(model, test, architecture, config), test.labels)

    def select(models: ModelState, positions: Array) -> ModelState:
        return jax.tree.map(lambda leaf: leaf[positions], models)

    def replace(models: ModelState, flags: Array, new: ModelState) -> ModelState:
        def choose(old: Array, fresh: Array) -> Array:
            return jnp.where(flags.reshape(-1, *[1] * (old.ndim - 1)), fresh, old)

        return jax.tree.map(choose, models, new)

    return Programs(
        start=jax.jit(start),
        advance=jax.jit(forward, donate_argnums=0),
        evaluate=jax.jit(evaluate),
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
