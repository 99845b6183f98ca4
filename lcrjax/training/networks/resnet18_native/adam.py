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
    kept, structure = jax.tree.flatten((params, state.mu, state.nu))
    n = len(kept) // 3
    call = jax.ffi.ffi_call(
        native.target("adam"),
        [jax.ShapeDtypeStruct(leaf.shape, jnp.float32) for leaf in kept],
        # The gradient stands among the operands between parameters and moments.
        input_output_aliases={i if i < n else i + n: i for i in range(3 * n)},
    )
    operands = [*kept[:n], *jax.tree.leaves(gradient), *kept[n:]]
    new = call(*operands, jnp.stack([rate, *corrections]))
    params, mu, nu = jax.tree.unflatten(structure, new)
    return params, (state._replace(count=count, mu=mu, nu=nu), *rest)
