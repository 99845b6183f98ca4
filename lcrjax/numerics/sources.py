"""What lies on disk, or comes from elsewhere, and would take memory if it were read as a whole."""

import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Bytes of a block of elements that are read together: more than the 32 MiB up to which the C
#: library may keep what was given back.
BLOCK_BYTES = 40 * 2**20
_SMALL = 2 * BLOCK_BYTES  # what is read as a whole


def comes_from(given: Any, package: str) -> bool:
    """Whether an object is of a package's own type, or of one derived from that."""
    return any(base.__module__.split(".")[0] == package for base in type(given).__mro__)


def is_sliced(given: Any) -> bool:
    """Whether it has a shape, a dtype and slices, as arrays have."""
    return all(hasattr(given, name) for name in ("shape", "dtype", "__getitem__")) and bool(
        given.shape
    )


def is_column(given: Any) -> bool:
    """Whether it is a column of a Hugging Face dataset."""
    return comes_from(given, "datasets") and isinstance(given, Sequence)


def is_large(given: Any) -> bool:
    """Whether it is a memory map, an array of h5py or Zarr or a Hugging Face column of some size.

    Small ones are as good as arrays. Size counts in bytes: more than two blocks.
    """
    if isinstance(given, np.ndarray):
        return takes_blocks(given.nbytes) and memory_map(given) is not None
    if comes_from(given, "h5py") or comes_from(given, "zarr"):
        return is_sliced(given) and (
            math.prod(given.shape) * np.dtype(given.dtype).itemsize > _SMALL
        )
    if is_column(given) and len(given):
        return len(given) * np.asarray(given[0]).nbytes > _SMALL
    return False


def takes_blocks(size: int) -> bool:
    """Whether so many bytes are more than what is read as a whole."""
    return size > _SMALL


def memory_map(array: Any) -> np.memmap | None:
    """The memory map in which an array lies, if it lies in one."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and _pages(array) is not None:  # else made of one
            return array
        array = array.base
    return None


def _pages(found: np.memmap) -> Any:
    return found._mmap  # type: ignore[attr-defined]


def check_mapped(what: str, array: Any) -> None:
    """Check that the file of a memory map still holds what is mapped.

    To read what it no longer holds kills the process (SIGBUS). This is looked at before each block;
    a file that is cut off while that block is read still does so.

    Args:
        what: Name in the plural, for errors.
        array: Any array; what lies in no memory map passes.

    Raises:
        ValueError: If the file has become shorter.
    """
    found = memory_map(array)
    if found is None:
        return
    pages = _pages(found)
    needed = found.offset - found.offset % mmap.ALLOCATIONGRANULARITY + len(pages)
    if (held := pages.size()) < needed:
        raise ValueError(
            f"the file of the {what}, {found.filename}, had {needed:,} bytes and has {held:,} now: "
            "give a file that stays as it is"
        )


def whole_refused(what: str, given: Any) -> ValueError:
    """What is said where something is to be read as a whole that may not fit into memory."""
    return ValueError(
        f"{what} are a {type(given).__name__}, which is not read in blocks here: give an array "
        "of those that memory holds"
    )
