"""How programs of tests are compiled: as users have it where rounding is tested, else quickly."""

import contextlib
import functools
import os
from typing import Any

import jax
import pytest
from jax._src import compiler

#: Rooms where rounding is tested: what they compute, all others take from them.
ROUNDING = {"native", "numerics", "pairwise", "similarity"}

_USUAL = compiler.get_compile_options
_FLAGS = os.environ.get("XLA_FLAGS", "")


@functools.cache
def _options() -> dict[str, Any]:
    """What makes XLA compile several times as fast, as far as this one knows it."""
    known = {"xla_backend_optimization_level": 0}
    for name, value in {
        "xla_cpu_use_fusion_emitters": False,
        "xla_cpu_parallel_codegen_split_count": 1,
    }.items():
        with contextlib.suppress(jax.errors.JaxRuntimeError):
            jax.jit(lambda x: x + 1).lower(0).compile({name: value})
            known[name] = value
    return known


def quick_jit(function: Any) -> Any:
    """Jit, and compile quickly."""
    return jax.jit(function, compiler_options=_options())


def quick_environment() -> dict[str, str]:
    """What makes another process compile quickly."""
    flags = (f"--{name}={str(value).lower()}" for name, value in _options().items())
    return {"XLA_FLAGS": " ".join([_FLAGS, *flags])}


def quickly(wanted: bool) -> None:
    """From now on, compile quickly rather than well, or again as users have it.

    So do the processes that tests start. What was compiled is forgotten where the way changes.
    """
    if wanted == (compiler.get_compile_options is not _USUAL):
        return
    options = _options()

    def quick(*given: Any, env_options_overrides: Any = None, **more: Any) -> Any:
        overrides = options | (env_options_overrides or {})
        return _USUAL(*given, env_options_overrides=overrides, **more)

    compiler.get_compile_options = quick if wanted else _USUAL
    os.environ |= quick_environment() if wanted else {"XLA_FLAGS": _FLAGS}
    jax.clear_caches()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose by the test's room, before its fixtures compute anything."""
    quickly(ROUNDING.isdisjoint(item.path.relative_to(item.config.rootpath).parts))
