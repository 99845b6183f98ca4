"""Every public function under jax's own settings."""

import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.public_calls import CALLS, ON_HOST

SETTINGS = {
    "rank promotion raises": lambda: jax.numpy_rank_promotion("raise"),
    "dtype promotion is strict": lambda: jax.numpy_dtype_promotion("strict"),
    "debug_nans": lambda: jax.debug_nans(True),
    "checking leaks": jax.checking_leaks,
    "without jit": jax.disable_jit,
    "x64": lambda: jax.enable_x64(True),
}


@pytest.fixture(scope="module")
def usual():
    """What every call gives without any setting."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        return {name: call(*given) for name, (call, *given) in (CALLS | ON_HOST).items()}


def compare(found, wanted):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CALLS | ON_HOST)
@pytest.mark.parametrize("setting", SETTINGS)
def test_call(setting, name, usual):
    call, *given = (CALLS | ON_HOST)[name]
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        with SETTINGS[setting]():
            found = [call(*given)]
            if name in CALLS and setting != "without jit":
                found.append(jax.jit(call)(*given))
        for each in found:
            compare(each, usual[name])
