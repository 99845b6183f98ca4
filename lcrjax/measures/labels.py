"""Labels of elements, in the forms that people have them in."""

from typing import Any

import numpy as np
from jaxtyping import Int

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.inputs import array as taken
from lcrjax.numerics.natural_order import natural_key


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
        raise ValueError(f"labels have shape {array.shape}: give one label per image")
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
        distinct, classes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"labels are of several kinds: give one kind alone ({error})") from error
    names = [str(name) for name in distinct]
    order = np.arange(len(names), dtype=np.int32)
    if array.dtype.kind not in "iufb":
        order = np.array(sorted(order, key=lambda i: natural_key(names[i])), np.int32)
    return tuple(names[i] for i in order), np.argsort(order).astype(np.int32)[classes]


def _check_numbers(labels: Any, n_classes: int) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels have dtype {labels.dtype}: with n_classes give integers")
    if at_hand(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}: "
            f"with n_classes={n_classes} they lie in 0..{n_classes - 1}"
        )
