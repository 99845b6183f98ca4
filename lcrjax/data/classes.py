"""Classes of elements, from labels in the forms that people have them in."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError
from lcrjax.data.text import as_text
from lcrjax.numerics.inputs import array as taken
from lcrjax.numerics.listing import counted
from lcrjax.numerics.natural_order import natural_key

#: Name of the one class of elements whose labels nobody knows.
UNLABELLED = "unlabelled"


def check_labels(labels: Any, count: int, split: str) -> np.ndarray:
    """Return labels as a vector of int64 or of strings.

    Args:
        labels: (n,) or (n, 1) whole numbers of at least 0, booleans or strings; or (n, C) with a
            single one in each row (one-hot), the rest zeros.
        count: Number of elements that they must match.
        split: "training" or "test", for the error's text.

    Raises:
        DataError: If one is missing, a fraction or negative, they are of several kinds, or there
            are not `count`.
    """
    try:
        array = np.asarray(taken(f"the {split} labels", labels, nan=True))
    except ValueError as error:
        raise DataError(f"{error}.") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(f"the {split} labels have the shape {array.shape}: give one per element.")
    if len(array) != count:
        raise DataError(
            f"there are {counted(count, f'{split} element')} but {counted(len(array), 'label')}: "
            "give one each."
        )
    if array.ndim == 2:
        return _from_one_hot(array, split)
    void = b"" if array.dtype.kind == "S" else ""
    if array.dtype.kind in "OUS" and (empty := np.flatnonzero(array == void)).size:
        raise DataError(f"the {split} label of element {empty[0]} is empty: name its class.")
    if array.dtype == object:
        kinds = {str if isinstance(x, str | bytes) else int for x in array}
        if len(kinds) > 1:
            raise DataError(f"the {split} labels are text and numbers: give one kind alone.")
        array = np.array(array.tolist())
    if array.dtype.kind in "SU":
        return as_text(array, f"the {split} label")
    if array.dtype.kind == "f" and (fraction := np.flatnonzero(array != np.rint(array))).size:
        raise DataError(
            f"the {split} label of element {fraction[0]} is {array[fraction[0]]}: "
            "give whole numbers or names."
        )
    if array.dtype.kind not in "buif":
        raise DataError(f"the {split} labels are {array.dtype}: give whole numbers or names.")
    if array.size and array.min() < 0:
        where = int(np.argmin(array))
        raise DataError(
            f"the {split} labels hold the negative number {array[where]:g} (element {where}): "
            "number the classes from 0, and leave out what has no label."
        )
    if array.size and array.max() > np.iinfo(np.int64).max:
        raise DataError(f"the {split} labels hold {array.max()}: number the classes from 0.")
    return array.astype(np.int64)


def _from_one_hot(array: np.ndarray, split: str) -> np.ndarray:
    if not (array.dtype.kind in "buif" and np.isin(array, (0, 1)).all()):
        raise DataError(
            f"the {split} labels have the shape {array.shape}: give one class per element."
        )
    if (several := np.flatnonzero(array.sum(axis=1) != 1)).size:
        raise DataError(
            f"the {split} labels of element {several[0]} mark {int(array[several[0]].sum())} "
            "classes: give one class per element, or measure with lcrjax.measure, which takes "
            "several."
        )
    return np.argmax(array, axis=1).astype(np.int64)


def number_classes(
    train: np.ndarray, test: np.ndarray, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Number the classes that checked labels name.

    Args:
        train: Labels of training elements, as `check_labels` returns them.
        test: Those of test elements; may be empty.
        class_names: Names of all classes: whole numbers are places among them, strings are they.
            None takes the distinct labels in natural order (2 before 10).

    Returns:
        Names of the classes, and both labels as int64 places among them.

    Raises:
        DataError: If a class has no training element, or a label has no name.
    """
    if (train.dtype.kind == "U") != (test.dtype.kind == "U") and test.size:
        raise DataError("labels of one split are text and of the other numbers: give one kind.")
    if class_names is None:
        distinct = np.unique(np.concatenate([train, test]) if test.size else train)
        names = tuple(sorted(map(str, distinct), key=natural_key))
    else:
        names = tuple(map(str, class_names))
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"two classes are named {twice!r}: give each a name of its own.")
    if class_names is not None and train.dtype.kind != "U":
        return _places(train, test, names)
    place = {name: i for i, name in enumerate(names)}
    coded: list[np.ndarray] = []
    for labels in (train, test):
        distinct, inverse = np.unique(labels, return_inverse=True)
        if unknown := [x for x in map(str, distinct) if x not in place]:
            raise DataError(f"a label is {unknown[0]!r}, which is no class name: name all classes.")
        codes = np.array([place[str(x)] for x in distinct], np.int64)
        coded.append(codes[inverse] if len(codes) else np.empty(0, np.int64))
    _check_occurrence(names, *coded)
    return names, coded[0], coded[1]


def _places(
    train: np.ndarray, test: np.ndarray, names: tuple[str, ...]
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Whole numbers as places among names, counted from 0, or from 1 where that alone fits."""
    both = np.concatenate([train, test])
    low, high = int(both.min()), int(both.max())
    first = 1 if low == 1 and high == len(names) else 0
    if high - first >= len(names):
        raise DataError(f"a label is {high}, but only {len(names)} classes have names: name all.")
    _check_occurrence(names, train - first, test - first)
    return names, train - first, test - first


def _check_occurrence(names: tuple[str, ...], train: np.ndarray, test: np.ndarray) -> None:
    missing = np.setdiff1d(np.arange(len(names)), train)
    if missing.size:
        also = ", though it occurs in the test set" if np.isin(missing[0], test) else ""
        raise DataError(
            f"class {names[missing[0]]!r} has no training element{also}: add some, or drop it."
        )
