"""How programs of tests are compiled: as users have it where rounding is tested, else quickly."""

import functools
import os

import jax
import pytest

#: Rooms where rounding is tested: what they compute, all others take from them. And what users see:
#: pages and the package's own examples.
ROUNDING = {"native", "numerics", "pairwise", "similarity", "test_docs.py", "lcrjax"}
#: In the environment of another process, it does what `quickly` does in this one.
QUICKLY = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}

quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def quickly(wanted: bool) -> None:
    """From now on, compile quickly rather than well, or again as users have it.

    So do the processes that tests start. What was compiled is forgotten where the way changes.
    """
    if wanted == jax.config.values["jax_disable_most_optimizations"]:
        return
    jax.config.update("jax_disable_most_optimizations", wanted)
    os.environ |= {name: value if wanted else "0" for name, value in QUICKLY.items()}
    jax.clear_caches()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose by the test's room, before its fixtures compute anything."""
    quickly(ROUNDING.isdisjoint(item.path.relative_to(item.config.rootpath).parts))
