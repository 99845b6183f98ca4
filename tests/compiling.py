"""Programs that tests need and that nobody else runs, compiled quickly rather than well."""

import functools

import jax

quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
