"""Kernels in C for processors whose vector units XLA does not use to the full; GPUs: see `gpu`.

Everything that they compute has a path in XLA as well, which is their reference. `available()`
says whether they are used, `absence()` why not, and `LCRJAX_NATIVE` in the environment, read once,
whether they may be: `1` (the default) uses them where they are, `0` never, and `require` makes
their absence an error.

One library is for processors with AVX-512 VNNI. Another, for those with AVX2, is compiled from the
same sources of what compares, and has nothing else: see `complete()`.
`LCRJAX_NATIVE=avx2` requires that one, whatever the processor has.

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
AVX2_LIBRARY = LIBRARY.with_name("_kernels_avx2.so")
_AVX2_FLAGS = {"avx2", "fma"}
_CPU_FLAGS = {*_AVX2_FLAGS, "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}

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
        ValueError: If `LCRJAX_NATIVE` is none of `0`, `1`, `require` and `avx2`.
    """
    return not is_disabled() and _usable()


def complete() -> bool:
    """Whether kernels are used and are those for AVX-512, which train too.

    Those for AVX2 compare alone: XLA trains there.
    """
    return available() and hasattr(library(), "lcrjax_resnet_forward")


def in_words() -> str:
    """Which kernels this process uses, whatever `disabled` says."""
    found = library()
    if isinstance(found, Absence):
        return f"not used, {found.why}"
    whole = hasattr(found, "lcrjax_resnet_forward")
    return "used" if whole else "used to compare, those for AVX2"


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


def load(path: Path, needs: set[str], name: str) -> ctypes.CDLL | Absence:
    """Open a library of kernels, if the processor and XLA take it.

    Args:
        path: The library.
        needs: Instructions that the processor must have, as `x86_instructions` calls them.
        name: What they are called together.

    Returns:
        The library, or why it cannot be used.
    """
    flags = x86_instructions()
    lacking = Absence(f"the processor has no {name}", False)
    if flags is not None and not flags >= needs:
        return lacking
    surprising = flags is not None
    if not path.is_file():
        why = f"there is no library {path}: install lcrjax where there is a C compiler"
        return Absence(why, surprising)
    try:
        opened = ctypes.CDLL(str(path))
        if not opened.lcrjax_capable():
            return lacking
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
    """What `LCRJAX_NATIVE` says: 0, 1, require or avx2."""
    given = os.environ.get("LCRJAX_NATIVE") or "1"
    if given not in ("0", "1", "require", "avx2"):
        raise ValueError(f"LCRJAX_NATIVE is {given!r}: set 0, 1, require or avx2")
    return given


@functools.cache
def library() -> ctypes.CDLL | Absence:
    """The library, or why there is none."""
    if switch() == "0":
        return Absence("switched off by LCRJAX_NATIVE=0", False)
    found: ctypes.CDLL | Absence | None = None
    if switch() != "avx2":
        found = load(LIBRARY, _CPU_FLAGS, "AVX-512 VNNI")
    if found is None or (isinstance(found, Absence) and not found.surprising):
        return load(AVX2_LIBRARY, _AVX2_FLAGS, "AVX2")
    return found


@functools.cache
def _usable() -> bool:
    return verdict(absence(), "kernels in C", "2 to 20")


def verdict(found: Absence | None, what: str, slower: str) -> bool:
    """Whether kernels are there; where they should be and are not, a warning or an error."""
    if found is None:
        return True
    if switch() in ("require", "avx2"):
        raise RuntimeError(f"LCRJAX_NATIVE is {switch()!r}, but {what} cannot be used, {found.why}")
    if found.surprising:
        warnings.warn(
            f"computing without {what}, {slower} times slower: {found.why}",
            RuntimeWarning,
            stacklevel=4,
        )
    return False
