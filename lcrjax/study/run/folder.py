"""Folder of one piece of work: what decides it, and one process at a time."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock

from lcrjax.study.run.files import is_partial, sweep, write_whole
from lcrjax.study.run.provenance import differences

CONFIG = "config.json"
_LOCK = ".lock"


class FolderInUseError(RuntimeError):
    """Another process is at work in a folder."""


@contextlib.contextmanager
def own_folder(folder: Path, description: dict[str, Any], kind: str) -> Iterator[None]:
    """Own a folder for as long as the context lasts; it is free of what killed writes have left.

    Args:
        folder: One that `check_folder` accepts; made if need be.
        description: `decides` must be the same at every visit, `about` need not be; written as
            `config.json` on the first.
        kind: What lives there, for error messages: "study" or the like.

    Raises:
        ValueError: If what decides the work differs from what is written there; the differences
            are listed.
        FolderInUseError: If another process is at work in the folder.
        OSError: If the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        description = json.loads(json.dumps(description))
        if (folder / CONFIG).exists():
            found = read_description(folder, kind)
            if lines := differences(found["decides"], description["decides"]):
                raise ValueError(
                    f"{folder} holds another {kind}: choose another folder, or undo the "
                    "differences (there -> now)\n  " + "\n  ".join(lines)
                )
        else:
            write_description(folder, description)
        yield


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be alone at work in a folder that exists; it is free of what killed writes have left.

    Raises:
        FolderInUseError: If another process is at work in the folder.
    """
    try:
        lock = filelock.FileLock(folder / _LOCK).acquire(blocking=False)
    except filelock.Timeout:
        raise FolderInUseError(
            f"another process is at work in {folder}: wait for it, or choose another folder"
        ) from None
    with lock:
        sweep(folder)
        yield


def check_folder(folder: str | Path, kind: str, parts: Sequence[str]) -> None:
    """Raise a ValueError unless work may live in a folder: new, empty, or the same kind's already.

    Args:
        folder: The folder.
        kind: What is to live there, for error messages.
        parts: Its own subfolders, which a killed first visit may have left empty.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: choose a folder for the {kind}")
    if (folder / CONFIG).exists():
        read_description(folder, kind)
        return
    foreign = [p.name for p in folder.iterdir() if p.name not in (_LOCK, *parts)]
    foreign += [p.name for part in parts for p in (folder / part).glob("*")]
    foreign = sorted(name for name in foreign if not is_partial(Path(name)))
    if foreign:
        raise ValueError(
            f"{folder} holds something other than a {kind} ({foreign[0]!r}): choose a new folder"
        )


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Write the `config.json` of a folder, whole or not at all."""
    text = json.dumps(description, indent=2, sort_keys=True, ensure_ascii=False)
    write_whole(folder / CONFIG, text.encode())


def read_description(folder: str | Path, kind: str = "study") -> dict[str, Any]:
    """Read the `config.json` of a folder.

    Raises:
        ValueError: If it is not a configuration of lcrjax.
    """
    path = Path(folder) / CONFIG
    try:
        description = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}): choose a folder of lcrjax") from None
    if not isinstance(description, dict) or not isinstance(description.get("decides"), dict):
        raise ValueError(f"{path} is not that of an lcrjax {kind}: choose a new folder")
    return description
