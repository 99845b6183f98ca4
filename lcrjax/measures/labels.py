"""Labels of elements, in the forms that people have them in."""

from typing import Any

import numpy as np
from jaxtyping import Int


def numbered(labels: Any) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
    """Number the classes that labels name, in the order of the sorted names.

    Args:
        labels: n integers, strings or booleans, (n,) or (n, 1).

    Returns:
        Names of the C classes, and the class of each element in 0..C-1.

    Raises:
        ValueError: If there are none, some are missing, fractions, or of several kinds.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(f"labels have shape {array.shape}: give one label per image")
    if array.dtype.kind == "f" and not np.all(array == np.rint(array)):
        bad = array[~(array == np.rint(array))][0]
        raise ValueError(f"labels hold {bad}: give integers, strings or booleans")
    if array.dtype == object and any(label is None for label in array):
        raise ValueError("labels hold None: give every image its label")
    try:
        distinct, classes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"labels are of several kinds: give one kind alone ({error})") from error
    return tuple(str(name) for name in distinct), classes.astype(np.int32)
