"""Folders of class folders of pictures."""

import collections
import unicodedata
from pathlib import Path

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.classes import UNLABELLED
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.folder_walk import File, Walk
from lcrjax.data.options import Options
from lcrjax.data.picture_formats import SUFFIXES
from lcrjax.data.pictures import decode_all
from lcrjax.numerics.listing import counted
from lcrjax.numerics.natural_order import natural_key

_TRAIN = ("train", "training")
#: Names of folders of test images; the first that is there is taken.
_TEST = ("test", "testing", "val", "valid", "validation")
# Control characters, lone surrogates, separators of lines, and marks that reverse what follows.
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
_REVERSING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def load_folder(named: str | Path, options: Options) -> Dataset:
    """Load `folder/CLASS/*.png`, or `folder/train/CLASS/*.png` and `folder/test/CLASS/*.png`.

    A file's content says whether and in which format it is a picture. `training` and `testing`
    serve as well, and without a test folder `val`, `valid` or `validation` is one. Other folders
    beside them are left out. Folders within class folders are parts of the class, if several
    classes have some and no name occurs twice. Classes come in natural order, 2 before 10; names
    are compared in Unicode's composed form. The dataset's notes say what was left out: files that
    are no pictures, classes without any, folders. Hidden files and what operating systems leave
    behind are not mentioned.

    Raises:
        DataError: A ValueError, if there are no pictures, they differ in size or in colours, some
            cannot be read, or a link leads out of the folder.
        ImportError: If Pillow, or pydicom for DICOM, is not installed.
    """
    folder = Path(named)
    walk = Walk(folder, options.follow_links)
    splits, notes = _splits(walk)
    parts = [part for split in splits for inner in _parts(walk, split).values() for part in inner]
    if parts:
        notes.append(
            "Folders within class folders were read as parts of the classes "
            f"(the first: {parts[0].parent.name}/{parts[0].name})."
        )
    found = [
        [
            (file, _class_name(of_class))
            for of_class in walk.folders(split)
            for file in _files(walk, of_class)
        ]
        for split in splits
    ]
    unlabelled = not options.labelled and not any(found)
    if unlabelled:
        found = [[(file, UNLABELLED) for file in walk.files(folder)]]
    pairs = [pair for split in found for pair in split]
    beside = set() if unlabelled else {folder, *splits}
    loose = [file for place in beside for file in walk.files(place) if _meant(file)]
    if not pairs:
        why = "pictures, but not in class folders" if loose else "no files in class folders"
        tables = [file.name for file in walk.files(folder) if file.name.endswith((".csv", ".tsv"))]
        table = f", or give the table {folder / tables[0]} if it lists them" if tables else ""
        raise DataError(f"{folder} holds {why}: make one folder of pictures for each class{table}.")
    if loose:
        notes.append(
            f"Left out: {counted(len(loose), 'picture')} beside the class folders "
            f"(the first: {loose[0].name})."
        )
    files = [file for file, _ in pairs]
    images, kept, said = decode_all(
        ((file.name, file.path) for file in files),
        len(files),
        str(folder),
        sum(file.size for file in files),
        options,
    )
    labels = np.array([label for _, label in pairs])[kept]
    names = np.array([file.name for file in files])[kept]
    ends = np.searchsorted(kept, np.cumsum([len(split) for split in found]))
    present = set(labels.tolist())
    for split, start, end in zip(splits, (0, *ends), ends, strict=False):
        if start == end:
            raise DataError(f"{split} holds no picture in its class folders: add some.")
    all_classes = {_class_name(path) for split in splits for path in walk.folders(split)}
    if empty := sorted(all_classes - present, key=natural_key):
        notes.append(f"Class folders without pictures were left out: {', '.join(empty)}.")
    ranges = [slice(0, ends[0]), slice(ends[0], None)][: len(splits)]
    arrays = [array[range_] for range_ in ranges for array in (images, labels)]
    return from_arrays(
        folder.resolve().name,
        *arrays,
        class_names=tuple(sorted(present, key=natural_key)),
        source=f"the folder {folder.resolve().name}",
        train_names=names[ranges[0]],
        test_names=names[ranges[1]] if len(ranges) > 1 else None,
        notes=(*notes, *said),
        **options.of_arrays(),
    )


def _splits(walk: Walk) -> tuple[list[Path], list[str]]:
    """Folders of class folders, training before test, and notes about others beside them."""
    root = walk.root
    # A folder that holds nothing but one of folders is opened.
    while len(tops := walk.folders(root)) == 1 and walk.folders(tops[0]):
        if tops[0].name.casefold() in (*_TRAIN, *_TEST):
            break
        root = tops[0]
    by_name = {path.name.casefold(): path for path in tops}
    train, test = (
        # One without folders is itself a class of such a name.
        next((by_name[n] for n in names if n in by_name and walk.folders(by_name[n])), None)
        for names in (_TRAIN, _TEST)
    )
    if train is None and test is not None:
        raise DataError(
            f"{root} has a folder {test.name!r} but no folder 'train': add it, or give "
            f"{test} alone to take it as the whole dataset."
        )
    if train is None:
        return [root], []
    splits = [train] if test is None else [train, test]
    beside = [path.name for path in tops if path not in splits]
    used = " and ".join(path.name for path in splits)
    notes = [f"Of the folders {used} was read; left out: {', '.join(beside)}."] if beside else []
    return splits, notes


def _parts(walk: Walk, split: Path) -> dict[Path, list[Path]]:
    """Folders within the class folders of a split: parts of a class, such as its patients.

    Raises:
        DataError: If the same names are in several classes, or one class alone has folders: then
            they may be the classes themselves.
    """
    parts = {of_class: walk.folders(of_class) for of_class in walk.folders(split)}
    parts = {of_class: inner for of_class, inner in parts.items() if inner}
    names = collections.Counter(path.name for inner in parts.values() for path in inner)
    if parts and (len(parts) == 1 or max(names.values()) > 1):
        first = next(iter(parts.values()))[0]
        raise DataError(
            f"{first} is a folder within a class folder, and its kind may be the classes: if "
            f"{first.parent.name} is a split, call it train or test; if it is no class, give the "
            "folder that has the classes; if it is one, put its pictures into it directly."
        )
    return parts


def _meant(file: File) -> bool:
    return file.name.lower().endswith(SUFFIXES)


def _files(walk: Walk, folder: Path) -> list[File]:
    """Files of a class folder and of folders in it."""
    files = walk.files(folder)
    for part in walk.folders(folder):
        if part.is_symlink():  # it may lead round in a circle
            raise DataError(f"{part} is a link to a folder within a class folder: remove it.")
        files += _files(walk, part)
    return files


def _class_name(folder: Path) -> str:
    name = unicodedata.normalize("NFC", folder.name)
    if any(unicodedata.category(c) in _REFUSED or c in _REVERSING for c in name):
        raise DataError(f"the class folder {name} has unprintable characters: rename it.")
    return name
