"""Every public function under jax's own settings, and on several devices."""

import contextlib
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.public_calls import CALLS, ON_HOST, TRACEABLE


@contextlib.contextmanager
def nothing_is_promoted():
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


SETTINGS = {
    "nothing is promoted": nothing_is_promoted,
    "debug_nans": lambda: jax.debug_nans(True),
    "checking leaks": jax.checking_leaks,
    "x64": lambda: jax.enable_x64(True),
}
EVERY = {name: (call,) for name, call in CALLS.items()} | TRACEABLE | ON_HOST


@pytest.fixture(autouse=True, scope="module")
def _as_users_have_it():
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="module")
def usual():
    """What every call gives where nothing is set."""
    return {name: call(*given) for name, (call, *given) in EVERY.items()}


def compare(found, wanted):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_call(setting, usual):
    failed = {}
    with SETTINGS[setting]():
        for name, (call, *given) in EVERY.items():
            try:
                compare(call(*given), usual[name])
                if name in TRACEABLE:
                    compare(jax.jit(call)(*given), usual[name])
            except Exception as error:  # all of them are told
                failed[name] = f"{type(error).__name__}: {error}"[:300]
    assert not failed, "\n".join(f"{name}: {why}" for name, why in failed.items())


@pytest.mark.parametrize(
    "module", ["several_devices", "over_devices", "two_processes", "without_jit"]
)
def test_in_another_process(module):
    """Of several devices, in two processes, or without annotations, where loops run on ints."""
    run = [sys.executable, "-m", f"tests.{module}"]
    done = subprocess.run(run, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
