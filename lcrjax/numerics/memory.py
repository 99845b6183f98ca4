"""Memory that is left, tables that do not fit into it, and arrays that leave nothing behind."""

import mmap
import os
import sys
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Shaped

_MANY = 2**20  # bytes
_CGROUPS = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Bytes that this process may still take.

    The least of what the machine has left, what the control group of its container may
    still take, and what its own limit on addresses leaves; where a system says none of it, the
    machine's memory, or no limit.
    """
    found = [1024 * kib for kib in _numbers(Path("/proc/meminfo"), "MemAvailable:")]
    for folder, most, used in (
        (_CGROUPS, "memory.max", "memory.current"),
        (_CGROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        for limit, taken in zip(_numbers(folder / most), _numbers(folder / used), strict=False):
            cache = _numbers(folder / "memory.stat", "inactive_file ")  # given back when asked for
            found.append(limit - taken + sum(cache))
    if os.name == "posix":
        import resource

        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        addresses = resource.getrlimit(resource.RLIMIT_AS)[0]
        if addresses != resource.RLIM_INFINITY:
            kib = _numbers(Path("/proc/self/status"), "VmSize:")
            found.append(addresses - 1024 * sum(kib))
    return max(0, min(found, default=sys.maxsize))


def check_room(size: int, what: str) -> None:
    """Check that an array in the memory of the host fits, before it is made.

    Where memory runs out, XLA and the system end the process without an exception.

    Args:
        size: Bytes, with what is computed from it meanwhile.
        what: What takes them, in the plural.

    Raises:
        ValueError: If fewer are available, and arrays lie there (on a CPU).
    """
    if size < 2**24 or jax.default_backend() != "cpu":
        return
    left = available_bytes()
    if size > left:
        raise ValueError(
            f"{what} take {size:,} bytes ({size / 2**30:,.1f} GiB), of which "
            f"{left:,} are available: give fewer elements, a sample of them for example"
        )


def copied(given: Shaped[np.ndarray, "*m"]) -> Shaped[np.ndarray, "*m"]:
    """A copy that the system has back as soon as it is forgotten.

    The C library keeps what is freed for the thread that made it: blocks that other threads read
    would stay with each of them.
    """
    if given.nbytes < _MANY or os.name != "posix":
        return np.array(given)
    pages = mmap.mmap(-1, given.nbytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    out = np.ndarray(given.shape, given.dtype, pages)
    out[...] = given
    return out


def _numbers(path: Path, start: str = "") -> list[int]:
    """The number after `start` on the first line that begins so; none where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    words = next((line[len(start) :].split() for line in lines if line.startswith(start)), [])
    return [int(words[0])] if words and words[0].isdigit() else []
