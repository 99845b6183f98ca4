"""Kernels in C for processors whose vector units XLA does not use to the full.

Optional: `available()` says whether they were compiled, the processor has what they need, and XLA
takes them. Everything that they compute has a path in XLA as well, which is their reference.

To add a kernel: write `lcrjax_NAME(XLA_FFI_CallFrame *)` in a file of its own under `src/` (see
`ffi.h`), and call `jax.ffi.ffi_call(target("NAME"), ...)` where `available()` is true. `setup.py`
compiles every file it finds there; `python setup.py build_ext --inplace` does so in a checkout.
"""

import ctypes
import functools
import importlib.machinery
import os
from pathlib import Path
from typing import Any

import jax

_FOLDER = Path(__file__).parent


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The compiled kernels, or None where there are none or the processor lacks instructions."""
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = _FOLDER / f"_kernels{suffix}"
        if path.is_file():
            try:
                library = ctypes.CDLL(str(path))
                return library if library.lcrjax_capable() else None
            except (AttributeError, OSError):
                return None
    return None


def available() -> bool:
    """Whether kernels can be called on the CPU; `LCRJAX_NATIVE=0` in the environment forbids it."""
    return os.environ.get("LCRJAX_NATIVE", "1") != "0" and _library() is not None


def threads() -> int:
    """How many threads a kernel called from Python may use: one for each processor we may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def function(name: str) -> Any:
    """Return `lcrjax_NAME` as ctypes has it, to call from Python.

    Raises:
        RuntimeError: If kernels are not `available`.
        AttributeError: If there is no such function.
    """
    library = _library()
    if library is None:
        raise RuntimeError("there are no compiled kernels: ask lcrjax.native.available() before")
    return getattr(library, f"lcrjax_{name}")


@functools.cache
def target(name: str) -> str:
    """Register the kernel `lcrjax_NAME` with XLA, once, and return the name of its target.

    Raises:
        RuntimeError: If kernels are not `available`.
        AttributeError: If there is no such kernel.
    """
    full = f"lcrjax_{name}"
    capsule = jax.ffi.pycapsule(function(name))
    jax.ffi.register_ffi_target(full, capsule, platform="cpu")
    return full
