"""Programs compiled quickly rather than well, where no rounding of users' programs is tested."""

import contextlib
import functools
from collections.abc import Iterator

import jax

#: In the environment of another process, it does what `quickly` does in this one.
QUICKLY = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    """Compile quickly whatever is compiled in a `with` block, and forget it in the end."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
        jax.clear_caches()


quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
