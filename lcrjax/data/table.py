"""A dataset out of a table's columns."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.columns import Column, Roles, listed
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.listed_files import find_files
from lcrjax.data.options import Options
from lcrjax.data.pictures import decode_all
from lcrjax.data.split_names import SPLITS, split_of

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
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
    label = columns[roles.label]
    labels = as_labels(label, roles.label, where)
    if not len(labels):
        raise DataError(f"{where} has no rows: give some.")
    if roles.split is not None:
        splits = np.array([str(word) for word in columns[roles.split].values])
    train, test = _split(splits, labels, where, notes)
    if label.classes is not None:
        labels, kept = _named(labels, label.classes, np.concatenate([train, test]), where, notes)
        facts = {"class_names": kept} | facts
    names = _texts(columns, roles.name) if roles.name else None
    groups = _texts(columns, roles.group) if roles.group else None
    if roles.group and (empty := [i for i, x in enumerate(groups or ()) if x == ""]):
        raise _missing(roles.group, where, np.array(empty))
    sides: dict[str, Any] = {}
    everything = len(train) == len(labels)
    elements = _Elements(path, columns, roles, options, notes)
    for split, rows in (("train", train), ("test", test)):
        if not len(rows):
            continue
        sides[f"{split}_images"] = elements.take(slice(None) if everything else rows)
        sides[f"{split}_labels"] = labels[rows]
        row_names = [f"row {i}" if names is None else names[i] for i in rows]
        sides[f"{split}_names"] = row_names
        sides[f"{split}_groups"] = None if groups is None else [groups[i] for i in rows]
    facts = {"name": path.stem, "source": f"the file {path.name}"} | facts
    return from_arrays(facts.pop("name"), **sides, notes=notes, **facts | options.of_arrays())


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
            raise _missing(name, where, np.flatnonzero(np.isnan(array)))
        return array
    if column.kind != "words":
        raise DataError(
            f"the column {name!r} of {where} holds {column.kind}, no labels: name another."
        )
    words = np.array([str(value).strip() for value in values], dtype=object)
    numeric = [bool(_NUMBER.fullmatch(word)) for word in words]
    lacking = np.array([word.casefold() in _MISSING for word in words], bool)
    # Where all else are numbers, "NA" is no class.
    numbers = any(numeric) and bool(np.all(np.array(numeric) | lacking))
    gone = lacking if numbers else words == ""
    if gone.any():
        raise _missing(name, where, np.flatnonzero(gone))
    if numbers and any(set(word) & set(".eE-") for word in words):
        return words.astype(np.float64)
    return words.astype(str)


def _missing(name: str, where: str, rows: np.ndarray) -> DataError:
    shown = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if len(rows) > _SHOWN else "")
    return DataError(
        f"the column {name!r} of {where} lacks {len(rows):,} values (rows {shown}, counted from "
        "0): fill them in, or leave the rows out."
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
        notes.append(f"The validation split ({len(rows['validation']):,} rows) was left out.")
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
        notes.append(f"{len(gone)} classes have no element and were left out: {listed(gone)}.")
    place = np.zeros(len(classes), np.int64)
    place[used] = np.arange(len(used))
    inside = np.clip(labels, 0, len(classes) - 1)  # rows of no split may have other labels
    return place[inside], tuple(classes[i] for i in used)


def _texts(columns: Mapping[str, Column], name: str) -> list[str]:
    return [str(value) for value in columns[name].values]


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
        self.notes, self.first = notes, None

    def take(self, rows: Any) -> Any:
        """Elements of some rows, as `from_arrays` takes them."""
        kind, name = self.roles.kind, self.roles.elements[0]
        column = self.columns[name]
        if kind in ("files", "pictures"):
            return self._decoded(column.values[rows], name)
        if kind == "texts":
            texts = column.values[rows]
            if gone := [i for i, text in enumerate(texts) if not isinstance(text, str)]:
                raise _missing(name, self.where, np.array(gone))
            return np.array(texts, dtype=object)
        if kind == "arrays":
            return column.values[rows]
        import pandas as pd

        frame = pd.DataFrame({key: self.columns[key].values for key in self.columns}, copy=False)
        if kind == "rows":
            return frame.iloc[rows].reset_index(drop=True)
        lacking = frame.isna()
        if lacking.to_numpy().any():
            place = next(key for key in frame if lacking[key].any())
            raise _missing(str(place), self.where, np.flatnonzero(lacking[place]))
        return frame.to_numpy()[rows]

    def _decoded(self, values: np.ndarray, name: str) -> np.ndarray:
        pictures: list[tuple[str, Path | bytes]] = []
        if self.roles.kind == "files":
            if gone := [i for i, value in enumerate(values) if not str(value).strip()]:
                raise _missing(name, self.where, np.array(gone))
            files, found = find_files(self.folder, [str(value) for value in values], self.where)
            if found:
                self.notes.append(f"{found:,} files were found by name below {self.folder}.")
            pictures = [(str(path), path) for path in files]
            stored = sum(path.stat().st_size for path in files)
        else:
            for i, (content, path) in enumerate(values):
                if content is None:
                    raise DataError(
                        f"row {i} of {self.where} holds no picture"
                        + (f", only the path {path!r}" if path else "")
                        + ": store pictures in the table."
                    )
                pictures.append((f"picture {path or i} of {self.where}", content))
            stored = sum(len(content) for content, _ in values)
        images, self.kept, notes = decode_all(
            pictures, len(pictures), self.where, stored, self.options
        )
        self.notes += notes
        return images
