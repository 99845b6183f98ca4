"""One step of the optimizer."""

from typing import Any

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from flax import nnx
from jaxtyping import Array, ArrayLike, Float

from lcrjax import native
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.resnet18 import Architecture
from lcrjax.training.training_state import make_optimizer

_DECAYS = 0.9, 0.999  # of Adam's moments, as in optax and in adam.c


def cosine_factor(epochs: ArrayLike, over: int, floor: float = 0.0) -> Float[Array, ""]:
    """Say what a cosine schedule multiplies the step size by.

    Args:
        epochs: Epochs done, whole or in part.
        over: Epochs over which the factor falls from 1; static.
        floor: What it falls to and stays at, in [0, 1]; static.

    Returns:
        The factor, along half a cosine.
    """
    done = jnp.minimum(epochs / over, 1.0)
    return floor + (1 - floor) * (0.5 + 0.5 * jnp.cos(jnp.pi * done))


def descend(
    params: nnx.State,
    moments: optax.OptState,
    gradient: nnx.State,
    architecture: Architecture,
    config: TrainingConfig,
    factor: ArrayLike = 1.0,
) -> tuple[nnx.State, optax.OptState]:
    """Move parameters against the gradient.

    Args:
        params: Trainable weights.
        moments: State of the optimizer that `make_optimizer` returns.
        gradient: Of the loss.
        architecture: Shape of the network; static.
        config: The recipe; static.
        factor: What the step size is multiplied by.

    Returns:
        New parameters, new state.
    """
    plain = not (config.weight_decay or config.warmup_steps)
    if architecture.native and plain and config.optimizer in ("adam", "adamw"):
        return _adam(params, moments, gradient, config.learning_rate * jnp.float32(factor))
    updates, moments = make_optimizer(config).update(gradient, moments, params)
    # Updates are proportional to the step size, whatever the optimizer.
    updates = jax.tree.map(lambda u: u * factor, updates)
    return optax.apply_updates(params, updates), moments


def _adam(
    params: nnx.State, moments: Any, gradient: nnx.State, rate: jax.Array
) -> tuple[nnx.State, optax.OptState]:
    """Adam in one pass over memory, in place."""
    state, *rest = moments
    count = optax.safe_increment(state.count)
    corrections = [1 / (1 - jnp.float32(decay) ** count) for decay in _DECAYS]
    trees = (params, gradient, state.mu, state.nu)
    leaves = [jax.tree.leaves(tree) for tree in trees]
    n = len(leaves[0])
    kept = [*leaves[0], *leaves[2], *leaves[3]]
    places = [*range(n), *range(2 * n, 4 * n)]  # of what is kept, among the operands
    call = jax.ffi.ffi_call(
        native.target("adam"),
        [jax.ShapeDtypeStruct(leaf.shape, jnp.float32) for leaf in kept],
        input_output_aliases={place: i for i, place in enumerate(places)},
    )
    operands = [leaf for tree in leaves for leaf in tree]
    new = call(*operands, jnp.stack([rate, *corrections]))
    structure = jax.tree.structure(params)
    params, mu, nu = (jax.tree.unflatten(structure, new[i * n : (i + 1) * n]) for i in range(3))
    return params, (state._replace(count=count, mu=mu, nu=nu), *rest)
