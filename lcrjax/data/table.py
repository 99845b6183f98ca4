"""A dataset out of a table's columns."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.classes import UNLABELLED
from lcrjax.data.columns import Column, Roles
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.folder_walk import is_system
from lcrjax.data.listed_files import find_files
from lcrjax.data.options import Options
from lcrjax.data.picture_formats import SUFFIXES
from lcrjax.data.pictures import decode_all
from lcrjax.data.split_names import SPLITS, split_of
from lcrjax.numerics.listing import counted, listed
from lcrjax.numerics.streams import Stream

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
_SHOWN = 5


def from_table(
    path: Path,
    columns: Mapping[str, Column],
    roles: Roles,
    options: Options,
    *,
    splits: np.ndarray | None = None,
    **facts: Any,
) -> Dataset:
    """Make a dataset of a table.

    Args:
        path: The table's file or folder, beside which the files lie that it lists.
        columns: Those that `roles` uses, of n rows each.
        roles: What they are taken for.
        options: Those of the source.
        splits: (n,) words that say each row's split, where no column does.
        facts: What is known otherwise, as `from_arrays` takes it.

    Raises:
        DataError: If a value is missing, a file is not there, a split is unknown, or as
            `from_arrays` does.
    """
    where, notes = str(path), list(roles.notes)
    label = columns[roles.label] if roles.label else _unlabelled(columns, roles)
    labels = as_labels(label, roles.label or UNLABELLED, where)
    if not len(labels):
        raise DataError(f"{where} has no rows: give some.")
    numbers = np.arange(len(labels))
    if splits is not None:  # rows are counted within their split's own file
        for word in np.unique(splits):
            numbers[splits == word] = np.arange((splits == word).sum())
    if roles.split is not None:
        splits = np.array([str(word) for word in columns[roles.split].values])
    train, test = _split(splits, labels, where, notes)
    if label.classes is not None:
        labels, kept = _named(labels, label.classes, np.concatenate([train, test]), where, notes)
        facts = {"class_names": kept} | facts
    groups = _texts(columns, roles.group) if roles.group else None
    if roles.group and (empty := [i for i, x in enumerate(groups or ()) if x in ("", "nan")]):
        raise _missing(roles.group, where, np.array(empty), len(labels))
    names = _names(columns, roles) or [f"row {i}" for i in numbers]
    sides: dict[str, Any] = {}
    elements = _Elements(path, columns, roles, options, notes)
    for split, rows in (("train", train), ("test", test)):
        if not len(rows):
            continue
        sides[f"{split}_images"], rows = elements.take(rows)
        sides[f"{split}_labels"] = labels[rows]
        sides[f"{split}_names"] = [names[i] for i in rows]
        sides[f"{split}_groups"] = None if groups is None else [groups[i] for i in rows]
    if len(train) + len(test) == len(labels) and (beside := elements.unlisted()):
        notes.append(
            f"Left out: {counted(len(beside), 'picture')} beside those listed "
            f"(the first: {beside[0]})."
        )
    facts = {"name": path.stem, "source": f"the file {path.name}"} | facts
    return from_arrays(facts.pop("name"), **sides, notes=notes, **facts | options.of_arrays())


def _unlabelled(columns: Mapping[str, Column], roles: Roles) -> Column:
    count = len(columns[roles.elements[0]].values)
    return Column("words", np.full(count, UNLABELLED, object))


def as_labels(column: Column, name: str, where: str) -> np.ndarray:
    """Return labels as whole numbers or strings; "1.0" counts as 1, but "01" is a name.

    Raises:
        DataError: If some are missing, or the column holds none.
    """
    values = column.values
    if column.kind == "arrays" and values.ndim == 2:
        return values
    if column.kind == "numbers":
        array = np.asarray(values)
        if array.dtype == object:
            array = array.astype(np.float64)
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise _missing(name, where, np.flatnonzero(np.isnan(array)), len(array))
        return array
    if column.kind != "words":
        raise DataError(
            f"the column {name!r} of {where} holds {column.kind}, no labels: name another."
        )
    words = np.array(["" if x is None else str(x).strip() for x in values], dtype=object)
    numeric = [bool(_NUMBER.fullmatch(word)) for word in words]
    lacking = np.array([word.casefold() in _MISSING for word in words], bool)
    # Where all else are numbers, "NA" is no class.
    numbers = any(numeric) and bool(np.all(np.array(numeric) | lacking))
    gone = lacking if numbers else words == ""
    if gone.any():
        raise _missing(name, where, np.flatnonzero(gone), len(words))
    if numbers and any(set(word) & set(".eE-") for word in words):
        return words.astype(np.float64)
    return words.astype(str)


def _missing(name: str, where: str, rows: np.ndarray, count: int) -> DataError:
    return DataError(
        f"the column {name!r} of {where} lacks {len(rows):,} of {count:,} values "
        f"(rows {listed(rows, _SHOWN)}, counted from 0): fill them in, or leave the rows out."
    )


def _split(
    splits: np.ndarray | None, labels: np.ndarray, where: str, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test split."""
    every = np.arange(len(labels))
    if splits is None:
        return every, every[:0]
    distinct, inverse = np.unique(splits, return_inverse=True)
    meant = [split_of(word) for word in distinct]
    if unknown := [str(w) for w, split in zip(distinct, meant, strict=True) if split is None]:
        raise DataError(
            f"{where} has the splits {listed(list(map(repr, map(str, unknown))))}: "
            f"call them {', '.join(('train', 'test'))} or validation."
        )
    rows = {s: every[np.array([m == s for m in meant])[inverse]] for s in set(SPLITS.values())}
    if not len(rows["train"]):
        raise DataError(f"{where} has no row of the split 'train': name some so.")
    for split in ("test", "validation"):
        held = rows[split]
        if (
            len(held)
            and labels.dtype.kind in "if"
            and labels.ndim == 1
            and (labels[held] < 0).all()
        ):
            notes.append(f"The split {split!r} has no labels (all are negative) and was left out.")
            rows[split] = held[:0]
    test = rows["test"]
    if not len(test):
        test = rows["validation"]
        if len(test):
            notes.append("The validation split serves as test set.")
    elif len(rows["validation"]):
        notes.append(
            f"The validation split ({counted(len(rows['validation']), 'row')}) was left out."
        )
    return rows["train"], test


def _named(
    labels: np.ndarray, classes: tuple[str, ...], rows: np.ndarray, where: str, notes: list[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Whole numbers as places among those class names that occur."""
    used = np.unique(labels[rows])
    if used.dtype.kind not in "iu" or used[0] < 0 or used[-1] >= len(classes):
        raise DataError(
            f"the labels of {where} run from {used[0]} to {used[-1]}, but {len(classes)} classes "
            "have names: number them from 0, and leave out what has no label."
        )
    if len(used) < len(classes):
        gone = [name for i, name in enumerate(classes) if i not in set(used.tolist())]
        notes.append(f"Classes without elements were left out: {listed(gone)}.")
    place = np.zeros(len(classes), np.int64)
    place[used] = np.arange(len(used))
    inside = np.clip(labels, 0, len(classes) - 1)  # rows of no split may have other labels
    return place[inside], tuple(classes[i] for i in used)


def _names(columns: Mapping[str, Column], roles: Roles) -> list[str] | None:
    """Names of a column, or else the files that pictures came from."""
    if roles.name:
        return _texts(columns, roles.name)
    paths = columns[roles.elements[0]].values[:, 1] if roles.kind == "pictures" else ()
    return list(map(str, paths)) if len(paths) and all(paths) else None


def _texts(columns: Mapping[str, Column], name: str) -> list[str]:
    return ["" if value is None else str(value) for value in columns[name].values]


class _Elements:
    """Elements of a table, taken by rows."""

    def __init__(
        self,
        path: Path,
        columns: Mapping[str, Column],
        roles: Roles,
        options: Options,
        notes: list[str],
    ) -> None:
        self.where, self.roles, self.options = str(path), roles, options
        self.columns = {name: columns[name] for name in roles.elements}
        self.folder = path if path.is_dir() else path.parent
        self.notes = notes
        self.files: set[Path] = set()

    def take(self, rows: np.ndarray) -> tuple[Any, np.ndarray]:
        """Elements of some rows, as `from_arrays` takes them, and the rows that they are of."""
        kind, name = self.roles.kind, self.roles.elements[0]
        values = self.columns[name].values
        if isinstance(values, Stream):
            chosen = np.zeros(len(values), bool)
            chosen[rows] = True
            return values.chosen(chosen), rows
        where = slice(None) if len(rows) == len(values) else rows  # all of them are not copied
        if kind == "arrays":
            if why := self.columns[name].why:  # beyond the rows that said what it is
                raise DataError(f"the column {name!r} of {self.where} {why}: give equal ones.")
            return values[where], rows
        if kind == "pictures":
            return self._decode([self._picture(int(i), *values[i]) for i in rows], rows)
        if kind in ("texts", "files") and (gone := [i for i in rows if not _is_text(values[i])]):
            raise _missing(name, self.where, np.array(gone), len(values))
        if kind == "texts":
            return values[where], rows
        if kind == "files":
            names = [str(values[i]) for i in rows]
            follow = self.options.follow_links
            files, found = find_files(self.folder, names, self.where, follow_links=follow)
            if found:
                self.notes.append(f"Found by name below {self.folder}: {counted(found, 'file')}.")
            if again := len(files) - len(set(files)):
                self.notes.append(
                    f"Listed more than once, and counted so: {counted(again, 'file')}."
                )
            self.files.update(files)
            return self._decode([(str(path), path) for path in files], rows)
        import pandas as pd

        frame = pd.DataFrame({key: self.columns[key].values for key in self.columns}, copy=False)
        if kind == "rows":
            return frame.iloc[where].reset_index(drop=True), rows
        lacking = frame.isna()
        if lacking.to_numpy().any():
            place = next(key for key in frame if lacking[key].any())
            raise _missing(str(place), self.where, np.flatnonzero(lacking[place]), len(frame))
        return frame.to_numpy(np.result_type(*frame.dtypes))[where], rows

    def unlisted(self) -> list[str]:
        """Pictures that lie beside the files taken, but are none of them."""
        return [
            entry.path
            for folder in sorted({file.parent for file in self.files})
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
            if entry.name.lower().endswith(SUFFIXES)
            and not is_system(entry.name)
            and folder / entry.name not in self.files
        ]

    def _picture(self, row: int, content: bytes | None, path: str | None) -> tuple[str, bytes]:
        if content is None:
            raise DataError(
                f"row {row} of {self.where} holds no picture"
                + (f", only the path {path!r}" if path else "")
                + ": store pictures in the table."
            )
        return f"picture {path or row} of {self.where}", content

    def _decode(
        self, pictures: Sequence[tuple[str, Path | bytes]], rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        stored = sum(len(p) if isinstance(p, bytes) else p.stat().st_size for _, p in pictures)
        images, kept, notes = decode_all(pictures, len(pictures), self.where, stored, self.options)
        none = [pictures[i][0] for i in np.setdiff1d(np.arange(len(pictures)), kept)]
        if none and not self.options.skip_damaged:
            raise DataError(
                f"{len(none):,} of {len(pictures):,} pictures of {self.where} are none: "
                f"{listed(none)}: remove their rows, or leave them out by "
                "skip_damaged=True (on the command line --skip-damaged)."
            )
        self.notes += notes
        return images, rows[kept]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
