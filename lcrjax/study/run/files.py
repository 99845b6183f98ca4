"""Files that are there whole or not at all, whatever happens to the process or the machine."""

import contextlib
import os
from pathlib import Path

_SUFFIX = ".partial"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a later process, finds all of it or nothing new.

    The content goes to a hidden file in the same folder, is forced to the disk, and takes the
    file's name in one step; then the folder itself is forced to the disk, so that the name
    outlives a loss of power.

    Args:
        path: File to write or replace; its folder must exist.
        content: All of it.

    Raises:
        OSError: If the disk is full or the folder cannot be written to. The old file, if there
            was one, is untouched.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    _force_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed writes have left in a folder; nobody else may be writing there."""
    for partial in folder.glob(f".*{_SUFFIX}"):
        partial.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Tell whether a file is the remains of a killed `write_whole`."""
    return path.name.startswith(".") and path.name.endswith(_SUFFIX)


def _force_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and keeps its own journal of names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
