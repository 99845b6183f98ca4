"""Zip archives of what folders hold."""

import dataclasses
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.folder_walk import is_system
from lcrjax.data.limits import DEFLATE_RATIO, check_bytes
from lcrjax.data.npz import load_npz
from lcrjax.data.options import Options

_ADVICE = "get it anew, or unpack it"


def is_zip(named: str | Path) -> bool:
    """Say whether a path is a zip archive by its name."""
    return Path(named).suffix.lower() == ".zip" and Path(named).exists()


def load_zip(
    named: str | Path, options: Options, load: Callable[[str | Path, Options], Dataset]
) -> Dataset:
    """Load a zip archive as the folder that it would unpack to, in a temporary place.

    A folder that holds nothing but one folder is opened; a single table is read itself. An archive
    of `.npy` files is read as `.npz`.

    Args:
        named: The archive.
        options: Those of the source.
        load: Loads a folder or file.

    Raises:
        DataError: A ValueError, if it is damaged, encrypted, claims too much, or holds no dataset.
    """
    path = Path(named)
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: give the path of a zip archive.")
    with tempfile.TemporaryDirectory(prefix="lcrjax-") as place:
        root = Path(place).resolve()
        with reading(path, _ADVICE), zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                info.filename = info.filename.replace("\\", "/")  # as some wrote on Windows
            members = [info for info in archive.infolist() if not _is_litter(info.filename)]
            if any(info.filename.endswith(".npy") for info in members):
                return load_npz(path, options)
            _check(members, path, options)
            for info in members:
                archive.extract(info, root)
        try:
            data = load(_inner(root), options._replace(in_blocks=False))  # the files go away
        except DataError as error:
            text = str(error).replace(str(root), str(path)).replace(root.name, path.stem)
            raise DataError(text) from error
        # Images are decoded, so that nothing of the temporary place is used any more.
        return dataclasses.replace(
            data,
            name=path.stem,
            source=f"the archive {path.name}",
            notes=tuple(note.replace(str(root), str(path)) for note in data.notes),
        )


def _is_litter(name: str) -> bool:
    return any(map(is_system, Path(name).parts))


def _check(members: list[zipfile.ZipInfo], path: Path, options: Options) -> None:
    for info in members:
        if info.flag_bits & 0x1:
            raise DataError(f"{info.filename} in {path} is encrypted: unpack it.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{info.filename} in {path} is compressed in a rare way: unpack it.")
        if info.file_size > DEFLATE_RATIO * info.compress_size:
            raise DataError(
                f"{info.filename} in {path} states {info.file_size:,} bytes, which "
                f"{info.compress_size:,} stored bytes cannot hold: {_ADVICE}."
            )
    claimed = sum(info.file_size for info in members)
    check_bytes(str(path), claimed, path.stat().st_size, options.max_bytes)


def _inner(folder: Path) -> Path:
    """The folder that holds more than one folder alone, or the only file."""
    while len(entries := list(folder.iterdir())) == 1:
        folder = entries[0]
        if not folder.is_dir():
            break
    return folder
