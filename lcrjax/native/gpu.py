"""The kernel for NVIDIA GPUs: compiled for the GPU at hand by NVIDIA's compiler library, once.

The library, NVRTC, comes with jax's own packages for CUDA. `LCRJAX_NATIVE` rules over this kernel
as over those for processors; XLA computes the same wherever there is none.
"""

import ctypes
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from lcrjax import native
from lcrjax.native import Absence

_SOURCES = Path(__file__).parent / "src" / "gpu"
_LEAST_CAPABILITY = 8.0  # asynchronous copies, and products of 16 x 8 x 32 bytes
_HOPPER = "9.0"  # whose products of four warps no other GPU has
#: Pieces of 24 KiB that shared memory holds, by capability; of others 4.
_STAGES = {"8.0": 6, "8.7": 6, "9.0": 9, "10.0": 9, "10.3": 9}
_program: Any = None  # which the library reads at its first launch


def available() -> bool:
    """Whether jax's default backend is a GPU that runs the kernel, here and now.

    The first call compiles it, in two seconds or so. One warning says so where a GPU could run it
    and something is missing.

    Raises:
        RuntimeError: If there is none on an NVIDIA GPU, and `LCRJAX_NATIVE=require`.
    """
    return jax.default_backend() == "gpu" and not native.is_disabled() and _usable()


def absence() -> Absence | None:
    """Why this process has no kernel for its GPU; None if it has."""
    found = _loaded()
    return found if isinstance(found, Absence) else None


@functools.cache
def target() -> str:
    """Register the kernel with XLA, once, and return the name of its target."""
    name = "lcrjax_gpu_sums_of_bytes"
    library = _loaded()
    assert not isinstance(library, Absence)  # as `available` says
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="CUDA")
    return name


@functools.cache
def _usable() -> bool:
    return native.verdict(absence(), "the kernel for GPUs", "3 to 4")


@functools.cache
def _loaded() -> ctypes.CDLL | Absence:
    """The library with the kernel in it, or why there is none."""
    global _program
    if native.switch() == "0":
        return Absence("switched off by LCRJAX_NATIVE=0", False)
    try:
        devices = jax.local_devices(backend="cuda")
    except RuntimeError:
        return Absence("jax has no NVIDIA GPU", False)
    capabilities = {str(device.compute_capability) for device in devices}
    if len(capabilities) > 1 or float(min(capabilities)) < _LEAST_CAPABILITY:
        return Absence(f"it is for one kind of GPU from 8.0 on, not {sorted(capabilities)}", False)
    try:
        library = ctypes.CDLL(str(native.LIBRARY))
        capability = capabilities.pop()
        _program = compiled(capability)
        library.lcrjax_gpu_program.argtypes = [ctypes.c_char_p, ctypes.c_int]
        library.lcrjax_gpu_program(_program, stages(capability))
    except (AttributeError, OSError, RuntimeError) as error:
        return Absence(str(error), True)
    return library


def stages(capability: str) -> int:
    """How many pieces of elements the kernel has in shared memory."""
    return _STAGES.get(capability, 4)


def compiled(capability: str) -> bytes:
    """Compile the kernel.

    Args:
        capability: Of the GPU, such as "9.0".

    Returns:
        Machine code, as the driver loads it.

    Raises:
        RuntimeError: If there is no NVRTC, or it refuses.
    """
    nvrtc = _nvrtc()
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    one = ctypes.c_char_p * 1
    header = (_SOURCES / "problem.h").read_bytes()
    hopper = capability == _HOPPER
    architecture = f"sm_{capability.replace('.', '')}{'a' if hopper else ''}"
    options = (
        f"--gpu-architecture={architecture}".encode(),
        f"-DHOPPER={hopper:d}".encode(),
        f"-DSTAGES={stages(capability)}".encode(),
    )

    def check(code: int) -> None:
        if code:
            raise RuntimeError(f"NVRTC does not compile the kernel for {architecture}: {log()}")

    def log() -> str:
        nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        said = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetProgramLog(program, said)
        return said.value.decode()

    source = (_SOURCES / "sums_of_bytes.cu").read_bytes()
    made = ctypes.byref(program), source, b"sums_of_bytes.cu", 1, one(header), one(b"problem.h")
    check(nvrtc.nvrtcCreateProgram(*made))
    check(nvrtc.nvrtcCompileProgram(program, 3, (ctypes.c_char_p * 3)(*options)))
    check(nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size)))
    code = ctypes.create_string_buffer(size.value)
    check(nvrtc.nvrtcGetCUBIN(program, code))
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return code.raw


def _nvrtc() -> ctypes.CDLL:
    for path in [*_in_packages(), "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"]:
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    raise RuntimeError("NVRTC is missing: pip install nvidia-cuda-nvrtc")


def _in_packages() -> Iterator[Path]:
    """Where NVIDIA's packages have it."""
    found = importlib.util.find_spec("nvidia")
    for folder in (found and found.submodule_search_locations) or []:
        yield from sorted(Path(folder).glob("*/lib/libnvrtc.so.*[0-9]"), reverse=True)
