import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import native

compiled = pytest.mark.skipif(not native.available(), reason="no compiled kernels for this machine")


@compiled
@pytest.mark.parametrize(("a", "b", "d"), [(1, 1, 1), (3, 5, 63), (40, 33, 64), (7, 9, 130)])
def test_byte_product_is_exact(a, b, d, rng):
    rows = rng.integers(0, 256, (a, d), np.uint8)
    columns = rng.integers(-128, 128, (b, d), np.int8)
    call = jax.ffi.ffi_call(native.target("byte_product"), jax.ShapeDtypeStruct((a, b), jnp.int32))
    wanted = rows.astype(int) @ columns.astype(int).T
    np.testing.assert_array_equal(jax.jit(call)(rows, columns), wanted)


@compiled
def test_a_kernel_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="lcrjax_nothing"):
        native.target("nothing")


def test_kernels_can_be_turned_off():
    code = "from lcrjax import native; print(native.available())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LCRJAX_NATIVE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
