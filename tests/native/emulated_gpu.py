"""The kernel for GPUs as a target of XLA's for processors, on threads that play a GPU."""

import ctypes
from pathlib import Path

import jax

from tests.native.c_compiler import SOURCES, compile_library

HERE = Path(__file__).parent


def register(folder: Path, kind: str) -> str:
    """Compile and register it, for one kind of GPUs ("HOPPER=0" or "HOPPER=1")."""
    out = folder / "gpu.so"
    sources = [HERE / "gpu_calls.c", *(SOURCES / f"common/{x}.c" for x in ("cancel", "ffi"))]
    compile_library(out, sources, "-O2", f"-I{HERE}", f"-D{kind}")
    name = f"lcrjax_emulated_sums_of_bytes_{kind}"
    capsule = jax.ffi.pycapsule(ctypes.CDLL(str(out)).lcrjax_emulated_sums_of_bytes)
    jax.ffi.register_ffi_target(name, capsule, platform="cpu")
    return name
