"""Folders and files within a folder of data, links checked and system files left aside."""

import contextlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from lcrjax.data.errors import DataError

#: What operating systems, servers and editors leave in folders, in lower case; and hidden files.
_SYSTEM = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "@eadir", "lost+found"),
    *("system volume information", "__macosx", "__pycache__"),
}


def is_system(name: str) -> bool:
    """Say whether a file or folder of that name is none of a user's."""
    return name.startswith(".") or name.lower() in _SYSTEM


class File(NamedTuple):
    """A file: its path below the folder of data with "/", its whole path, and its size in bytes."""

    name: str
    path: str
    size: int


class Walk:
    """Looks into a folder of data.

    Args:
        root: The folder.
        follow_links: Whether links may lead out of it.
    """

    def __init__(self, root: Path, follow_links: bool) -> None:
        self.root, self._follow = root, follow_links
        self._resolved = root.resolve()

    def folders(self, folder: Path) -> list[Path]:
        """Folders in a folder, by name."""
        return [Path(entry.path) for entry in self._entries(folder) if _is_folder(entry)]

    def files(self, folder: Path) -> list[File]:
        """Files in a folder, by name.

        Raises:
            DataError: If something is neither a file nor a folder.
        """
        start = len(os.path.join(self.root, ""))
        found = []
        for entry in self._entries(folder):
            if _is_folder(entry):
                continue
            size = 0
            with contextlib.suppress(OSError):  # a link that leads nowhere is told when it is read
                status = entry.stat()
                if not stat.S_ISREG(status.st_mode):
                    raise DataError(f"{entry.path} is not a regular file: remove it.")
                size = status.st_size
            name = entry.path[start:].replace(os.sep, "/")
            # What is no Unicode could not be written into tables and pages.
            name = name.encode("utf-8", "backslashreplace").decode()
            found.append(File(name, entry.path, size))
        return found

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if not is_system(entry.name)]
        except OSError as error:
            raise DataError(f"cannot read the folder {folder} ({error.strerror}).") from error
        for entry in found:
            if entry.is_symlink():
                self._check_link(entry.path)
        return sorted(found, key=lambda entry: entry.name)

    def _check_link(self, path: str) -> None:
        if self._follow or Path(os.path.realpath(path)).is_relative_to(self._resolved):
            return
        if not os.path.exists(path):
            raise DataError(f"{path} is a link to what is not there: mend it or remove it.")
        raise DataError(
            f"{path} is a link that leads out of {self._resolved}: copy what it leads to, or "
            "allow it with follow_links=True (on the command line --follow-links)."
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder; a link that leads round in a circle is none."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()
