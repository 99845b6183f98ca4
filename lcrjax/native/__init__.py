"""Kernels in C for processors whose vector units XLA does not use to the full; GPUs: see `gpu`.

Everything that they compute has a path in XLA as well, which is their reference. `available()`
says whether they are used, `absence()` why not, and `LCRJAX_NATIVE` in the environment, read once,
whether they may be: `1` (the default) uses them where they are, `0` never, and `require` makes
their absence an error.

To add a kernel: write `lcrjax_NAME(XLA_FFI_CallFrame *)` in a file of its own under `src/` (see
`src/common/ffi.h`), and call `jax.ffi.ffi_call(target("NAME"), ...)` where `available()` is true.
`setup.py` compiles every file it finds there; `python setup.py build_ext --inplace` does so in a
checkout.
"""

import ctypes
import functools
import os
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import jax

from lcrjax.numerics.processors import x86_instructions

LIBRARY = Path(__file__).parent / "_kernels.so"
_CPU_FLAGS = {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}

# Part of the key of every cache of jax, so that no program compiled with kernels serves without.
_disabled = jax.make_user_context(False)


class Absence(NamedTuple):
    """Why there are no kernels.

    Attributes:
        why: In words.
        surprising: Whether the processor could run them.
    """

    why: str
    surprising: bool


def available() -> bool:
    """Whether kernels are used on the CPU, here and now.

    It may be asked while jax traces: the answer is part of what the compiled program depends on.
    The first call starts jax's backends and tries whether XLA takes the kernels; one warning says
    so where a processor could run them and they are missing.

    Raises:
        RuntimeError: If there are none, and `LCRJAX_NATIVE=require`.
        ValueError: If `LCRJAX_NATIVE` is none of `0`, `1` and `require`.
    """
    return not is_disabled() and _usable()


def is_disabled() -> bool:
    """Whether this thread is in a block of `disabled`."""
    return bool(_disabled.value)


def disabled() -> AbstractContextManager[None]:
    """Compute through XLA alone in a `with` block, in this thread."""
    return _disabled(True)


def absence() -> Absence | None:
    """Why this process has no kernels, whatever `disabled` says; None if it has."""
    found = library()
    return found if isinstance(found, Absence) else None


def threads() -> int:
    """How many threads a kernel called from Python may use: one for each processor we may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def function(name: str) -> Any:
    """Return `lcrjax_NAME` as ctypes has it, to call from Python.

    Raises:
        RuntimeError: If there are no kernels.
        AttributeError: If there is no such function.
    """
    found = library()
    if isinstance(found, Absence):
        raise RuntimeError(f"kernels in C cannot be used, {found.why}: ask `available()` before")
    return getattr(found, f"lcrjax_{name}")


@functools.cache
def target(name: str) -> str:
    """Register the kernel `lcrjax_NAME` with XLA, once, and return the name of its target.

    Raises:
        RuntimeError: If there are no kernels.
        AttributeError: If there is no such kernel.
    """
    return _register(f"lcrjax_{name}", function(name))


def load(path: Path) -> ctypes.CDLL | Absence:
    """Open a library of kernels, if the processor and XLA take it.

    Args:
        path: The library.

    Returns:
        The library, or why it cannot be used.
    """
    flags = x86_instructions()
    if flags is not None and not flags >= _CPU_FLAGS:
        return Absence("the processor has no AVX-512 VNNI", False)
    surprising = flags is not None
    if not path.is_file():
        why = f"there is no library {path}: install lcrjax where there is a C compiler"
        return Absence(why, surprising)
    try:
        opened = ctypes.CDLL(str(path))
        if not opened.lcrjax_capable():
            return Absence("the processor has no AVX-512 VNNI", False)
        kernel = opened.lcrjax_sums_of_bytes
        ctypes.c_int.in_dll(opened, "lcrjax_cancelled")
        ctypes.c_longlong.in_dll(opened, "lcrjax_pairs")
    except (AttributeError, OSError, ValueError) as error:
        return Absence(f"the library cannot be loaded ({error}): install lcrjax anew", surprising)
    try:
        # Before the backend has started XLA would queue the kernel, and start no more if it is
        # refused then.
        jax.local_devices(backend="cpu")
    except RuntimeError as error:
        return Absence(f"jax has no CPU ({error})", False)
    try:
        _register("lcrjax_sums_of_bytes", kernel)
    except Exception as error:  # of whatever kind: XLA's path is there
        why = f"jaxlib refuses them ({error}): install another version of lcrjax or of jaxlib"
        return Absence(why, True)
    return opened


def _register(full: str, kernel: Any) -> str:
    jax.ffi.register_ffi_target(full, jax.ffi.pycapsule(kernel), platform="cpu")
    return full


def switch() -> str:
    """What `LCRJAX_NATIVE` says: 0, 1 or require."""
    given = os.environ.get("LCRJAX_NATIVE") or "1"
    if given not in ("0", "1", "require"):
        raise ValueError(f"LCRJAX_NATIVE is {given!r}: set 0, 1 or require")
    return given


@functools.cache
def library() -> ctypes.CDLL | Absence:
    """The library, or why there is none."""
    if switch() == "0":
        return Absence("switched off by LCRJAX_NATIVE=0", False)
    return load(LIBRARY)


@functools.cache
def _usable() -> bool:
    return verdict(absence(), "kernels in C", "2 to 20")


def verdict(found: Absence | None, what: str, slower: str) -> bool:
    """Whether kernels are there; where they should be and are not, a warning or an error."""
    if found is None:
        return True
    if switch() == "require":
        raise RuntimeError(f"LCRJAX_NATIVE is 'require', but {what} cannot be used, {found.why}")
    if found.surprising:
        warnings.warn(
            f"computing without {what}, {slower} times slower: {found.why}",
            RuntimeWarning,
            stacklevel=4,
        )
    return False
