"""Find out what kind of source is meant, and load it."""

import difflib
import os
from pathlib import Path
from typing import Any

from lcrjax.data.dataset import Dataset
from lcrjax.data.digits import load_digits
from lcrjax.data.errors import DataError
from lcrjax.data.folder import load_folder
from lcrjax.data.idx import is_idx_folder, load_idx
from lcrjax.data.medmnist import load_medmnist, split_name
from lcrjax.data.medmnist_index import INSTALL, installed_names
from lcrjax.data.npz import load_npz
from lcrjax.data.resize import Size, as_size
from lcrjax.data.split import TEST_FRACTION
from lcrjax.data.tfds import load_tfds

_DIGITS = "digits"
# What MedMNIST has of single-label images, for hints where its registry is not installed.
_MEDMNIST = (
    "pathmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "retinamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
)
_TFDS = "tfds:"


def load(
    source: str | os.PathLike[str],
    *,
    seed: int = 0,
    test_fraction: float = TEST_FRACTION,
    resize: Size | None = None,
    size: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
) -> Dataset:
    """Load a labelled image dataset.

    A name goes before a file or folder of that name; write `./digits` for the folder. All that is
    read counts as untrusted: nothing is unpickled, and sizes are checked before memory is taken.

    Args:
        source: One of

            - "digits": scikit-learn's 1,797 handwritten digits, offline;
            - a MedMNIST name: "bloodmnist", "pathmnist_64", ... (downloaded once);
            - "tfds:NAME": TensorFlow Datasets, splits `train` and `test` (or `validation`);
            - the path of an `.npz` file with `train_images`, `train_labels`, `test_images`,
              `test_labels` (validation arrays are left out), or with `images` and `labels`;
            - a folder of IDX files, gzipped or not (the MNIST family);
            - a folder of class folders of PNG or JPEG files, in `train/` and `test/` or not.
        seed: Seed of the held-out test set, where the source has none of its own.
        test_fraction: Part of each class that is held out in that case, in (0, 1).
        resize: New (height, width) in pixels, or one number for both; the aspect ratio may change.
        size: Side in pixels of the MedMNIST variant: 28, 64, 128 or 224.
        cache: Folder for downloads; for "tfds:" its data folder. By default `LCRJAX_CACHE`, or
            the operating system's place for caches.
        max_bytes: Largest number of bytes that a source may expand to. By default
            `LCRJAX_MAX_BYTES`, or 100 times its size on disk, at least 1 GiB, at most 8 GiB.

    Returns:
        The dataset, checked: every class has training images, pixels are uint8 or floats in
        [0, 1], labels run from 0.

    Raises:
        DataError: A ValueError that says what is wrong with the data and what to do.
        ImportError: If a package that this source needs is missing; the text says how to get it.

    Example:
        >>> digits = load("digits")
        >>> digits.train_images.shape, digits.n_classes
        ((1347, 8, 8), 10)
    """
    shape = None if resize is None else as_size(resize)  # refused before anything is fetched
    options: dict[str, Any] = {"seed": seed, "test_fraction": test_fraction, "resize": shape}
    name = source if isinstance(source, str) else ""
    folder = None if cache is None else Path(cache)
    if name.startswith(_TFDS):
        _no_size(size, name)
        return load_tfds(name.removeprefix(_TFDS), cache=folder, max_bytes=max_bytes, **options)
    if name and split_name(name)[0] in installed_names():
        return load_medmnist(name, size=size, cache=folder, max_bytes=max_bytes, **options)
    _no_size(size, source)
    if name == _DIGITS:
        return load_digits(**options)
    if not os.fspath(source):
        raise DataError("the source is empty; give a name, a file or a folder.")
    path = Path(source)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{str(source)[:80]!r} cannot be a path ({reason}).") from error
    if not exists:
        raise DataError(_unknown(path, name))
    if not is_folder:
        return load_npz(path, max_bytes=max_bytes, **options)
    try:
        idx = is_idx_folder(path)
    except OSError as error:
        raise DataError(f"cannot read the folder {path} ({error.strerror}).") from error
    return (load_idx if idx else load_folder)(path, max_bytes=max_bytes, **options)


def _no_size(size: int | None, source: object) -> None:
    if size is not None:
        raise DataError(
            f"size= chooses among MedMNIST's variants and means nothing for {source}; "
            "use resize= to change height and width."
        )


def _unknown(path: Path, name: str) -> str:
    """Say that a source is neither a name nor a path, and what may have been meant."""
    if not name or path.suffix or len(path.parts) != 1:
        near = difflib.get_close_matches(path.name, _siblings(path), n=1)
        hint = f"did you mean {path.with_name(near[0])}?" if near else "check the path."
        return f"there is no file or folder {path}; {hint}"
    medmnist = installed_names()
    names = medmnist or _MEDMNIST
    if name.lower() in names:
        return f"{name!r} is a MedMNIST dataset, whose addresses are not at hand; {INSTALL}"
    near = difflib.get_close_matches(name.lower(), (_DIGITS, *names), n=1)
    needed = "" if medmnist else f" (after {INSTALL})"
    if near:
        return (
            f"there is no dataset {name!r}; did you mean {near[0]!r}{needed * (near[0] in names)}?"
        )
    text = f"there is no dataset, file or folder {name!r}; give 'digits', a MedMNIST name{needed}"
    return text + ", 'tfds:NAME', an .npz file or a folder."


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []
