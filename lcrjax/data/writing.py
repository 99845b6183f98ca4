"""Datasets written to files and folders, from which `load` reads them again."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from lcrjax.data.classes import UNLABELLED
from lcrjax.data.dataset import Dataset, Split
from lcrjax.data.errors import DataError, need
from lcrjax.data.folder_walk import is_system
from lcrjax.data.picture_formats import SUFFIXES


def check_npz(dataset: Dataset) -> None:
    """Refuse a dataset that `.npz` files do not hold.

    Raises:
        DataError: If its elements are rows.
    """
    if dataset.kind == "rows":
        raise DataError(f"{dataset.name} holds rows, which .npz files do not: write a table.")


def write_npz(dataset: Dataset, path: Path) -> None:
    """Write a dataset as an `.npz` file, whole or not at all, in the place of any that is there.

    Args:
        dataset: Images, vectors or texts, both splits; names, groups and class names go along.
        path: The file; its folder must exist.

    Raises:
        DataError: If elements are rows.
        OSError: If the disk is full or not writable.
    """
    check_npz(dataset)
    arrays: dict[str, np.ndarray] = {}
    for word, split in (("train", dataset.train), ("test", dataset.test)):
        if split is None:
            continue
        elements = split.elements
        arrays[f"{word}_{dataset.kind}"] = elements.astype(str) if _texts(elements) else elements
        if dataset.class_names != (UNLABELLED,):
            arrays[f"{word}_labels"] = split.labels
        for what in ("names", "groups"):
            if (column := getattr(split, what)) is not None:
                arrays[f"{word}_{what}"] = column.astype(str)
    if dataset.class_names != (UNLABELLED,):
        arrays["class_names"] = np.array(dataset.class_names)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _texts(elements: np.ndarray) -> bool:
    return elements.dtype.kind in "OU"


def check_pictures(dataset: Dataset, source: Path | None = None, *, link: bool = False) -> None:
    """Refuse a dataset that no folder of pictures holds, before long work.

    Raises:
        DataError: If it holds no images, or such as PNG has not; a class cannot be a folder's name;
            or there are no files to link to.
    """
    if dataset.kind != "images":
        raise DataError(
            f"{dataset.name} holds {dataset.kind}, which are no pictures: write a table or .npz."
        )
    for name in dataset.class_names:
        if not name.strip() or is_system(name) or set(name) & set('/\\\0:*?"<>|'):
            raise DataError(
                f"class {name!r} cannot be the name of a folder: rename it with class_names= "
                "(--class-names), or write .npz."
            )
    if source is not None and _files(source, dataset.train):
        return
    if link:
        raise DataError(f"{dataset.name} is no folder of files to link to: leave links out.")
    if dataset.n_channels not in (1, 3, 4):
        raise DataError(
            f"images of {dataset.name} have {dataset.n_channels} channels, which PNG has not: "
            "write .npz."
        )


def write_pictures(
    dataset: Dataset, folder: Path, source: Path | None = None, *, link: bool = False
) -> None:
    """Write images as a folder of class folders, whole or not at all.

    Args:
        dataset: Images. With a test set there are folders `train` and `test`, in them one for each
            class; without labels there are none.
        folder: The new folder, or an empty one.
        source: Folder in which the files lie that the images' names say; they are copied as they
            are. None, or where they are not there, writes PNG of 8 bits.
        link: Whether to link to those files in place of copies.

    Raises:
        DataError: As `check_pictures` does.
        OSError: If the disk is full or not writable, or the folder is not empty.
    """
    check_pictures(dataset, source, link=link)
    folder = folder.absolute()
    partial = Path(
        tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent)
    )
    try:
        for word, split in (("train", dataset.train), ("test", dataset.test)):
            if split is not None:
                where = partial if dataset.test is None else partial / word
                _write(dataset, split, where, source, link)
        partial.chmod(0o755)
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(dataset: Dataset, split: Split, where: Path, source: Path | None, link: bool) -> None:
    files = _files(source, split) if source is not None else []
    classes = dataset.class_names
    within = [_below(split.name_of(i), classes[c]) for i, c in enumerate(split.labels.tolist())]
    if not files:
        within = [f"{_stem(name)}.png" for name in within]
    labels = split.labels.tolist()
    if len({(c, name.casefold()) for c, name in zip(labels, within, strict=True)}) < len(labels):
        within = [f"{i}_{name}" for i, name in enumerate(within)]
    for i, (c, name) in enumerate(zip(labels, within, strict=True)):
        folder = where if classes == (UNLABELLED,) else where / classes[c]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if not files:
            pillow = need("PIL.Image", "Pillow", "study")
            pillow.fromarray(_bytes(split.elements[i])).save(path, "PNG")
        elif link:
            path.symlink_to(files[i].resolve())
        else:
            shutil.copyfile(files[i], path)


def _below(name: str, of_class: str) -> str:
    """A file's name within its class folder: what stands below that, in one word."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if of_class in parts[:-1]:
        parts = parts[parts.index(of_class) + 1 :]
    return "_".join(parts).lstrip(".").replace(":", "_").replace("\0", "") or "picture"


def _stem(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def _files(source: Path, split: Split) -> list[Path]:
    """The files that elements' names say; none where one is not there."""
    if split.names is None:
        return []
    names = [Path(str(name)) for name in split.names]
    within = not any(name.is_absolute() or ".." in name.parts for name in names)
    files = [source / name for name in names]
    return files if within and all(file.is_file() for file in files) else []


def _bytes(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8:
        image = np.rint(255 * image).astype(np.uint8)
    return np.ascontiguousarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
