"""Labels of elements, in the forms that people have them in."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.inputs import array as taken
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.listing import listed
from lcrjax.numerics.natural_order import natural_key
from lcrjax.numerics.tables import column_names
from lcrjax.numerics.whole_numbers import check_whole

_NAMED = 6
_AT_ONCE = 2**16  # labels that are looked at together


def numbered(
    labels: Any, n_classes: int | None = None
) -> tuple[tuple[str, ...], Int[AnyArray, " n"]]:
    """Number the classes that labels name, in the natural order of their names.

    Args:
        labels: n integers, strings or booleans, (n,) or (n, 1).
        n_classes: Number of classes that integers in 0..n_classes-1, which may be traced, number.

    Returns:
        Names of the C classes, and the class of each element in 0..C-1.

    Raises:
        ValueError: If there are none, some are missing, fractions, or of several kinds; if they
            are not numbers of the classes, or are traced and nobody says how many there are.
    """
    array = taken("labels", labels, nan=True)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"labels have shape {array.shape}: give one label per image, "
            "or a matrix of 0 and 1 with a column for each class"
        )
    if n_classes is not None:
        _check_numbers(array, n_classes)
        return tuple(map(str, range(n_classes))), array.astype(np.int32)
    if not at_hand(array):
        raise ValueError(
            "labels are traced, which hides how many classes there are: "
            "give integers in 0..C-1, and n_classes=C"
        )
    array = np.asarray(array)
    if array.dtype.kind == "f" and not np.all(array == np.rint(array)):
        bad = array[~(array == np.rint(array))][0]
        raise ValueError(f"labels hold {bad}: give integers, strings or booleans")
    try:
        distinct, classes = _distinct(array)
    except TypeError as error:
        raise ValueError(f"labels are of several kinds: give one kind alone ({error})") from error
    names = [str(name) for name in distinct]
    if array.dtype.kind in "iufb":
        return tuple(names), classes.astype(np.int32, copy=False)
    order = np.array(sorted(range(len(names)), key=lambda i: natural_key(names[i])), np.int32)
    return tuple(names[i] for i in order), np.argsort(order).astype(np.int32)[classes]


def shared(
    labels: Any, class_names: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Float[np.ndarray, "n C"]] | None:
    """Share every element out among the classes that a matrix of labels marks.

    Args:
        labels: 0 or 1 for each of n elements and C > 1 classes, (n, C), or a table of these.
        class_names: C names; None for those of the table's columns, or "0" to "C-1".

    Returns:
        Names of the classes, and for an element of k classes 1/k in each of them; None for labels
        of another form.

    Raises:
        ValueError: If numbers are others than 0 and 1, an element has no label (the first are
            named) or a class no element, or names are not as many as columns, or not distinct.
    """
    array = taken("labels", labels, nan=True)
    wide = array.ndim == 2 and array.shape[1] > 1 and array.size
    if not wide or array.dtype.kind not in "iufbO":
        return None
    if not at_hand(array):
        raise ValueError("the matrix of labels is traced: give it as an array of NumPy")
    table = np.asarray(numbers("labels", array), np.float64)
    names = tuple(class_names or column_names(labels) or map(str, range(table.shape[1])))
    if len(names) != table.shape[1] or len(set(names)) < len(names):
        raise ValueError(
            f"the matrix of labels has {table.shape[1]} columns and {len(set(names))} distinct "
            "class names: give one for each"
        )
    if len(bad := np.argwhere((table != 0) & (table != 1))):
        i, j = bad[0].tolist()
        raise ValueError(
            f"labels hold {table[i, j]:g} at ({i}, {j}): give one label per image, "
            "or a matrix of 0 and 1 with a column for each class"
        )
    if len(bare := np.flatnonzero(~table.any(axis=1))):
        raise ValueError(
            f"{len(bare)} of {len(table)} images have no label ({listed(bare, _NAMED)}): "
            "leave them out, or give them a class of their own"
        )
    if len(empty := np.flatnonzero(~table.any(axis=0))):
        raise ValueError(f"class {names[empty[0]]!r} is empty: leave it out")
    return names, table / table.sum(axis=1, keepdims=True)


def _distinct(labels: np.ndarray) -> tuple[np.ndarray, Int[np.ndarray, " n"]]:
    """Distinct labels in order, and the place of each label among them, as `np.unique` finds them.

    In linear time, by a table of the names, or of the whole numbers between least and largest.

    Raises:
        TypeError: If they have no order.
    """
    kind, n = labels.dtype.kind, len(labels)
    if kind == "b":
        numbers, classes = _distinct(labels.view(np.uint8))
        return numbers.astype(bool), classes
    if kind not in "iu":
        return np.unique(labels, return_inverse=True) if kind == "f" else _distinct_names(labels)
    least, span = labels.min(), int(labels.max()) - int(labels.min()) + 1
    if span > max(n, _AT_ONCE):
        return np.unique(labels, return_inverse=True)
    unsigned = f"u{labels.itemsize}"  # differences that a small signed dtype does not hold
    table, classes = np.zeros(span, np.int32), np.empty(n, np.int32)
    for some in _parts(n):
        table[(labels[some] - least).view(unsigned)] = 1
    present = np.flatnonzero(table)
    table[present] = np.arange(len(present))
    for some in _parts(n):
        classes[some] = table[(labels[some] - least).view(unsigned)]
    return present.astype(labels.dtype) + least, classes


def _distinct_names(labels: np.ndarray) -> tuple[np.ndarray, Int[np.ndarray, " n"]]:
    """The same of strings and objects."""
    table: dict[Any, int] = {}
    classes = np.empty(len(labels), np.int32)
    try:
        for some in _parts(len(labels)):
            classes[some] = [table.setdefault(name, len(table)) for name in labels[some].tolist()]
        first = np.empty(len(table), labels.dtype)
        first[:] = list(table)
        distinct, place = np.unique(first, return_inverse=True)
    except (TypeError, ValueError):  # some cannot be looked up, or compared: it says which
        return np.unique(labels, return_inverse=True)
    return distinct, place.astype(np.int32)[classes]


def _parts(n: int) -> Iterator[slice]:
    return (slice(i, i + _AT_ONCE) for i in range(0, n, _AT_ONCE))


def _check_numbers(labels: Any, n_classes: int) -> None:
    check_whole("n_classes", n_classes, 1, "give how many classes there are")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels have dtype {labels.dtype}: with n_classes give integers")
    if at_hand(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}: "
            f"with n_classes={n_classes} they lie in 0..{n_classes - 1}"
        )
