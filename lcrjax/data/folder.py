"""Folders of class folders of PNG or JPEG files."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need
from lcrjax.data.options import Options
from lcrjax.data.pictures import Picture, decode_all

_SUFFIXES = (".png", ".jpg", ".jpeg")
_TRAIN, _TEST = ("train", "training"), ("test", "testing")


def load_folder(named: str | Path, options: Options) -> Dataset:
    """Load `folder/CLASS/*.png`, or `folder/train/CLASS/*.png` and `folder/test/CLASS/*.png`.

    Classes are numbered in the order of their folders' names. `training` and `testing` serve as
    well; other folders beside them, such as `val`, are left out. Without these subfolders a test
    set is held out class by class. Hidden files, and files that are no images, are passed over.
    Links that lead out of the folder are refused.

    Raises:
        DataError: A ValueError, if there are no images, they differ in size or in colours, one is
            damaged, or a link leads out of the folder.
        ImportError: If Pillow is not installed.
    """
    folder = Path(named)
    root = folder.resolve()
    tops = _subfolders(folder, root)
    by_name = {path.name.casefold(): path for path in tops}
    halves = [
        next(by_name[name] for name in names if name in by_name)
        for names in (_TRAIN, _TEST)
        if by_name.keys() & set(names)
    ]
    if len(halves) == 1:
        raise DataError(
            f"{folder} has a subfolder {halves[0].name!r} but none for the other split: "
            "add train/ and test/, or give the class folders alone to have a test set held out."
        )
    splits = [_subfolders(half, root) for half in halves] or [tops]
    classes = sorted({path.name for split in splits for path in split})
    if len(classes) < 2:
        raise DataError(
            f"{folder} has {len(classes)} class folders: "
            "at least two are needed, each with PNG or JPEG files."
        )
    for name in classes:
        if not name.isprintable():
            raise DataError(f"the class folder {name} has unprintable characters: rename it.")
    arrays: list[np.ndarray] = []
    first: Picture | None = None
    for split in splits:
        files, labels, stored = _list(split, classes, root)
        if not files:
            where = split[0].parent if split else folder
            raise DataError(f"{where} holds no PNG or JPEG file in its class folders.")
        named_files = zip(map(str, files), files, strict=True)
        what = str(files[0].parent.parent)
        images, first = decode_all(named_files, len(files), what, stored, options, first)
        arrays += [images, labels]
    return from_arrays(
        root.name,
        *arrays,
        class_names=tuple(classes),
        source=f"the folder {root.name}",
        **options.of_arrays(),
    )


def _inside(path: Path, root: Path) -> Path:
    """Return the path that a link stands for, refusing those that lead out of `root`."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} is a link that leads nowhere: remove it.") from error
    if not resolved.is_relative_to(root):
        raise DataError(f"{path} is a link that leads out of {root}: copy the file instead.")
    return resolved


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot read the folder {folder} ({error.strerror}).") from error
    return sorted(visible, key=lambda entry: entry.name)


def _subfolders(folder: Path, root: Path) -> list[Path]:
    found = []
    for entry in _entries(folder):
        if entry.is_symlink():
            _inside(Path(entry.path), root)
        if entry.is_dir():
            found.append(Path(entry.path))
    return found


def _list(
    classes_found: Sequence[Path], classes: Sequence[str], root: Path
) -> tuple[list[Path], np.ndarray, int]:
    """Return the image files of a split, class by class and by name, their labels and bytes."""
    pillow = need("PIL.Image", "Pillow", "study")
    other_images = set(pillow.registered_extensions()) - set(_SUFFIXES)
    files: list[Path] = []
    labels: list[int] = []
    stored = 0
    for folder in classes_found:
        label = classes.index(folder.name)
        for entry in _entries(folder):
            path = Path(entry.path)
            if entry.is_symlink():
                path = _inside(path, root)
            if entry.is_dir():
                raise DataError(
                    f"{entry.path} is a folder within a class folder: "
                    "class folders must hold the images themselves."
                )
            suffix = Path(entry.name).suffix.lower()
            if suffix in _SUFFIXES:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    raise DataError(f"{entry.path} is not a regular file: remove it.")
                files.append(path)
                labels.append(label)
                stored += status.st_size
            elif suffix in other_images:
                raise DataError(f"{entry.path} is neither PNG nor JPEG: convert it.")
    return files, np.asarray(labels, np.int64), stored
