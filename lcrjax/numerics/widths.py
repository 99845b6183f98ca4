"""Float widths: a computation follows its inputs and jax's own setting."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lcrjax.numerics.processes import check_process


def float_dtype(*inputs: Any) -> np.dtype:
    """Float64 where jax would hold one of the arrays given so, and float32 elsewhere.

    Integers, booleans and half precision are computed in float32.

    Raises:
        RuntimeError: If nothing is computed in this process; see `check_process`.
    """
    check_process()
    for given in inputs:
        dtype = getattr(given, "dtype", None)
        if isinstance(dtype, np.dtype) and jax.dtypes.canonicalize_dtype(dtype) == jnp.float64:
            return np.dtype(np.float64)
    return np.dtype(np.float32)
