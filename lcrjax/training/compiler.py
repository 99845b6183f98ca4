"""How the programs that train are compiled, and how precisely they multiply."""

import functools
from collections.abc import Callable
from typing import Any

import jax

from lcrjax.training.config import TrainingConfig

# XLA draws slices and padding into products, and ends the process where these have odd lengths:
# https://github.com/openxla/xla/issues/47381. Without that, NVIDIA's library multiplies.
_ON_GPUS = {"xla_gpu_enable_triton_gemm": False}

_rounds_factors = jax.make_user_context(False)


def compiled(
    function: Callable[..., Any], config: TrainingConfig, **options: Any
) -> Callable[..., Any]:
    """`jax.jit`, with what XLA needs to know where it trains, and products as the recipe says."""

    @functools.wraps(function)
    def traced(*given: Any) -> Any:
        with _rounds_factors(config.precision == "tensorfloat32"):
            return function(*given)

    settings = _ON_GPUS if jax.default_backend() == "gpu" else None
    return jax.jit(traced, compiler_options=settings, **options)


def precision() -> jax.lax.Precision:
    """Of products of float32: full, where some GPUs would round, unless the recipe lets them."""
    return jax.lax.Precision.DEFAULT if _rounds_factors.value else jax.lax.Precision.HIGHEST
