"""Initial weights: millions of normal random numbers for each of hundreds of models."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lcrjax import native


def normals(key: Array, n: int) -> Float[Array, " n"]:
    """Draw `jax.random.normal(key, (n,))`, equal but for the last digit.

    Args:
        key: A typed key of any implementation; the kernel knows threefry2x32 alone.
        n: How many.
    """
    known = str(jax.random.key_impl(key)) == "threefry2x32"
    counted = jax.config.jax_threefry_partitionable  # type: ignore[attr-defined]
    if not (known and counted):
        return jax.random.normal(key, (n,), jnp.float32)
    call = jax.ffi.ffi_call(
        native.target("normals"), jax.ShapeDtypeStruct((n,), jnp.float32), vmap_method="sequential"
    )
    return call(jax.random.key_data(key))
