"""Machines that compute a study, described by what rounds differently on another."""

import functools
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import jax

from lcrjax import __version__, native

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")


class MachineError(RuntimeError):
    """A machine is of another kind than those of a study, or was lost."""


def machine() -> dict[str, Any]:
    """Describe this process's machine in plain values; two of a kind compute the same bits.

    The same program rounds differently on another kind of device or processor, by other kernels,
    in another width, or where XLA divides its sums among more threads.
    """
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "versions": {**versions, "lcrjax": __version__},
        "device": {
            "kind": jax.devices()[0].device_kind,
            "native_kernels": native.available() and (native.complete() or "AVX2"),
            "floats": str(jax.dtypes.canonicalize_dtype(float)),
            "matmul_precision": jax.config.jax_default_matmul_precision,  # type: ignore[attr-defined]
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors": native.threads(),
    }


@functools.cache
def _processor() -> str:
    """Model of the processor; where the system does not tell, its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
