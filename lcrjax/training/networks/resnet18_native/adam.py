"""Adam in one pass over parameters, moments and gradient, in place."""

from typing import Any

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, Float

from lcrjax import native

_DECAYS = 0.9, 0.999  # of the moments, as in optax and in adam.c


def adam(
    params: Any, moments: Any, gradient: Any, rate: Float[Array, ""]
) -> tuple[Any, optax.OptState]:
    """Take one step, as `optax.adam` does.

    Args:
        params: Trainable weights, float32.
        moments: State of the optimizer, that of `optax.scale_by_adam` first.
        gradient: Of the loss.
        rate: Step size.

    Returns:
        New parameters, new state.
    """
    state, *rest = moments
    count = optax.safe_increment(state.count)
    corrections = [1 / (1 - jnp.float32(d) ** count.astype(jnp.float32)) for d in _DECAYS]
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
