"""Sources of data: a table of what each accepts and how it is loaded, and the way into it."""

import contextlib
import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lcrjax.data.array_file import load_npy
from lcrjax.data.colours import check_mode
from lcrjax.data.dataset import Dataset
from lcrjax.data.delimited import SUFFIXES as DELIMITED
from lcrjax.data.delimited import load_delimited
from lcrjax.data.digits import load_digits
from lcrjax.data.errors import DataError, reason
from lcrjax.data.folder import load_folder
from lcrjax.data.foreign import check_fetched
from lcrjax.data.hdf5 import SUFFIXES as HDF5
from lcrjax.data.hdf5 import load_hdf5
from lcrjax.data.huggingface import is_hub, is_saved, load_hub, load_saved
from lcrjax.data.idx import is_idx, load_idx
from lcrjax.data.limits import MAX_PIXELS
from lcrjax.data.medmnist import is_medmnist, load_medmnist
from lcrjax.data.medmnist_index import known_names
from lcrjax.data.naming import group_by_pattern, rename_classes
from lcrjax.data.npz import load_npz
from lcrjax.data.options import COLUMNS, Options
from lcrjax.data.other_test_set import with_test_set
from lcrjax.data.parquet import is_parquet, load_parquet
from lcrjax.data.resize import Size, as_size
from lcrjax.data.split import TEST_FRACTION
from lcrjax.data.tfds import is_tfds, load_tfds
from lcrjax.data.zipped import is_zip, load_zip

#: What a source of data is named by: a name, which is a string, or a path.
Named = str | Path


class Source(NamedTuple):
    """A kind of source.

    Attributes:
        called: What help and errors call it.
        accepts: Whether a name or path is one of this kind.
        load: Loads it, and checks it by `from_arrays`.
        names: Names that it has, to suggest the one that may have been meant.
        sized: Whether `size=` chooses among its variants.
        takes: Other options that it alone takes.
    """

    called: str
    accepts: Callable[[Named], bool]
    load: Callable[[Named, Options], Dataset]
    names: Callable[[], Sequence[str]] = tuple
    sized: bool = False
    takes: tuple[str, ...] = ()


def _ends(*suffixes: str) -> Callable[[Named], bool]:
    """Accept files by their suffixes."""
    return lambda named: (
        Path(named).suffix.lower() in suffixes and Path(named).exists() and not Path(named).is_dir()
    )


def _load_zip(named: Named, options: Options) -> Dataset:
    return load_zip(named, options, _load)


#: The first that accepts a source loads it: names go before files and folders.
SOURCES = (
    Source("'digits'", lambda named: named == "digits", load_digits, lambda: ("digits",)),
    Source("a MedMNIST name such as 'bloodmnist'", is_medmnist, load_medmnist, known_names, True),
    Source("'tfds:NAME'", is_tfds, load_tfds),
    Source("'hf:NAME' (Hugging Face)", is_hub, load_hub, takes=COLUMNS),
    Source("an .npy file with --labels", _ends(".npy"), load_npy, takes=("labels",)),
    Source("a CSV or TSV file", _ends(*DELIMITED), load_delimited, takes=COLUMNS),
    Source("a Parquet file or a folder of some", is_parquet, load_parquet, takes=COLUMNS),
    Source("an HDF5 file", _ends(*HDF5), load_hdf5),
    Source("a zip archive of a folder", is_zip, _load_zip, takes=COLUMNS),
    Source("a folder of IDX files", is_idx, load_idx),
    # Any other file is taken for an archive, to be refused by name where it is none.
    Source(
        "an .npz file", lambda named: Path(named).exists() and not Path(named).is_dir(), load_npz
    ),
    Source("a folder that Hugging Face's datasets saved", is_saved, load_saved, takes=COLUMNS),
    Source(
        "a folder with one folder of images per class",
        lambda named: Path(named).is_dir(),
        load_folder,
    ),
)


def load(
    source: str | os.PathLike[str],
    *,
    seed: int = 0,
    test_fraction: float | int = TEST_FRACTION,
    resize: Size | None = None,
    size: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
    mode: str | None = None,
    test: str | os.PathLike[str] | None = None,
    skip_damaged: bool = False,
    follow_links: bool = False,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int, int], None] | None = None,
    labelled: bool = True,
    in_blocks: bool = False,
    labels: str | os.PathLike[str] | None = None,
    class_names: Sequence[str] | None = None,
    image_column: str | None = None,
    element_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    group_pattern: str | None = None,
) -> Dataset:
    r"""Load a labelled dataset: images, vectors, texts, or rows of mixed columns.

    A name goes before a file or folder of that name; write `./digits` for the folder. All that is
    read counts as untrusted: nothing is unpickled, and sizes are checked before memory is taken.

    Args:
        source: One of

            - "digits": scikit-learn's 1,797 handwritten digits, offline;
            - a MedMNIST name: "bloodmnist", "pathmnist_64", ... (downloaded once);
            - "tfds:NAME": TensorFlow Datasets, splits `train` and `test` (or `validation`);
            - "hf:NAME" or "hf:NAME:CONFIGURATION": the Hugging Face Hub;
            - the path of an `.npz` or HDF5 file with `train_images`, `train_labels`, `test_images`,
              `test_labels` (validation arrays are left out), or with `images` and `labels`, or
              with other usual names such as `X` and `y`;
            - an `.npy` file, with `labels`;
            - a CSV, TSV or Parquet table, or a folder of Parquet shards: pictures or names of
              their files, lists of numbers, texts, or plain columns, with a column of labels;
            - a folder that Hugging Face's `datasets` saved;
            - a zip archive of a folder or table;
            - a folder of IDX files, gzipped or not (the MNIST family), or one of them where a
              folder has several datasets;
            - a folder of class folders of pictures (PNG, JPEG, TIFF, BMP, GIF, WebP, PGM or PPM,
              DICOM), in `train/` and `test/` (or `val/`) or not.
        seed: Seed of the held-out test set, where the source has none of its own.
        test_fraction: Part of each class that is held out in that case, in (0, 1); 0 holds out
            none, and the dataset has no test set.
        resize: New (height, width) in pixels, or one number for both; the aspect ratio may change.
        size: Side in pixels of the MedMNIST variant: 28, 64, 128 or 224.
        cache: Folder for downloads; for "tfds:" its data folder. By default `LCRJAX_CACHE`, or
            the operating system's place for caches.
        max_bytes: Largest number of bytes that a source may expand to. By default
            `LCRJAX_MAX_BYTES`, or 100 times its size on disk, at least 1 GiB, at most 8 GiB.
        mode: "grey" or "rgb" to bring all images to; by default each stays as it is, and pictures
            of several kinds are refused.
        test: A source of the test set, which takes the place of any that `source` has; its classes
            are matched by name.
        skip_damaged: Whether to go on without pictures that cannot be read; a note counts them.
        follow_links: Whether links may lead out of a folder of pictures.
        max_pixels: Largest number of pixels of one picture in a file.
        progress: Told how many of how many pictures in files are decoded.
        labelled: Whether elements without labels are refused; otherwise they are one class,
            "unlabelled", and pictures may lie in a folder without class folders.
        in_blocks: Whether labelled vectors of more than 80 MiB become a `lcrjax.Stream`, which
            `lcrjax.measure` takes, where they come from Parquet, HDF5 or Hugging Face and no test
            set is held out. Those of an `.npy` file are always mapped into memory.
        labels: File of an `.npy` file's labels: `.npy`, `.txt` (one per line), `.csv`, or
            `FILE.csv:COLUMN`.
        class_names: Names of the classes, in the order of their own names.
        image_column: Column of a table that holds pictures or names of their files.
        element_column: Column of a table that holds texts, or vectors as lists of numbers.
        label_column: Column of a table that holds labels; by default one of a usual name.
        split_column: Column of a table that says train, test or validation.
        group_column: Column of a table that holds groups, such as patients.
        group_pattern: Regular expression that finds an element's group in its name, such as
            `patient(\d+)`.

    Returns:
        The dataset, checked: every class has training elements, pixels are uint8 or floats in
        [0, 1], labels run from 0. Its notes say what was chosen by name, or left out.

    Raises:
        DataError: A ValueError that says what is wrong with the data and what to do.
        ImportError: If a package that this source needs is missing; the text says how to get it.

    Example:
        >>> digits = load("digits")
        >>> digits.train_images.shape, digits.n_classes
        ((1347, 8, 8), 10)
    """
    options = Options(
        seed=seed,
        test_fraction=test_fraction,
        resize=None if resize is None else as_size(resize),  # refused before anything is fetched
        size=size,
        cache=None if cache is None else Path(cache),
        max_bytes=max_bytes,
        mode=check_mode(mode),
        skip_damaged=skip_damaged,
        follow_links=follow_links,
        max_pixels=max_pixels,
        progress=progress,
        labelled=labelled,
        in_blocks=in_blocks,
        labels=None if labels is None else os.fspath(labels),
        image_column=image_column,
        element_column=element_column,
        label_column=label_column,
        split_column=split_column,
        group_column=group_column,
    )
    if test is None:
        dataset = _load(source, options)
    else:
        whole = options._replace(test_fraction=0)
        dataset = with_test_set(_load(source, whole), _load(test, whole))
    if class_names is not None:
        dataset = rename_classes(dataset, class_names)
    return dataset if group_pattern is None else group_by_pattern(dataset, group_pattern)


def _load(source: Any, options: Options) -> Dataset:
    if not isinstance(source, str | os.PathLike):
        raise DataError(
            f"the source is a {type(source).__name__}: give a name, a file or a folder; "
            "of what is in memory from_arrays makes a dataset."
        )
    named: Named = source if isinstance(source, str) else Path(source)
    if not os.fspath(named):
        raise DataError("the source is empty: give a name, a file or a folder.")
    kind = _kind_of(named)
    if options.size is not None and not (kind and kind.sized):
        raise DataError(
            f"size={options.size} chooses among MedMNIST's variants and means nothing for {named}: "
            "use resize= to change height and width."
        )
    if kind is None:
        raise DataError(_what_was_meant(named))
    for option in ("labels", *COLUMNS):
        if (value := getattr(options, option)) is not None and option not in kind.takes:
            raise DataError(
                f"{option}={value!r} means nothing for {named}, {kind.called}: leave it out."
            )
    if Path(named).is_file():
        check_fetched(Path(named))
    return kind.load(named, options)


def _kind_of(named: Named) -> Source | None:
    try:
        return next((kind for kind in SOURCES if kind.accepts(named)), None)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"{str(named)[:80]!r} cannot be a path ({reason(error)}).") from error


def _what_was_meant(named: Named) -> str:
    """Say that something is neither a name nor a path, and what may have been meant."""
    path = Path(named)
    if isinstance(named, Path) or path.suffix or len(path.parts) != 1:
        siblings: list[str] = []
        with contextlib.suppress(OSError):
            siblings = [entry.name for entry in path.parent.iterdir()]
        near = difflib.get_close_matches(path.name, siblings, n=1)
        hint = f"did you mean {path.with_name(near[0])}?" if near else "check the path."
        return f"there is no file or folder {path}: {hint}"
    names = [name for kind in SOURCES for name in kind.names()]
    if found := difflib.get_close_matches(named.lower(), names, n=1):
        return f"there is no dataset {named!r}: did you mean {found[0]!r}?"
    *others, last = (kind.called for kind in SOURCES)
    return f"there is no dataset, file or folder {named!r}: give {', '.join(others)} or {last}."
