"""Numbers at hand or traced, and the namespace that computes with them."""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def at_hand(*arrays: Any) -> bool:
    """Whether all are numbers: none is traced, so the host can compute with them in float64."""
    return not any(isinstance(array, jax.core.Tracer) for array in arrays)


def namespace(array: Any) -> ModuleType:
    """`numpy` for its own arrays and `jax.numpy` for those of jax, traced or not."""
    return np if isinstance(array, np.ndarray | np.generic) else jnp
