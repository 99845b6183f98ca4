"""Numbers, and lists of them, in arrays of Apache Arrow."""

import math
from typing import Any, NamedTuple

import numpy as np


class Flat(NamedTuple):
    """The numbers in an array of nested lists.

    Attributes:
        values: All of them, an Arrow array.
        shape: (n, ...), in which they lie; up to where they do not.
        row: The first row of which a list is missing or has another length; None where all fit.
        found: The length of that list, None if it is missing.
    """

    values: Any
    shape: tuple[int, ...]
    row: int | None = None
    found: int | None = None


def is_list(kind: Any) -> bool:
    """Whether a type is one of lists."""
    import pyarrow as pa

    names = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names)


def is_plain(kind: Any) -> bool:
    """Whether a type is one of numbers or booleans."""
    import pyarrow as pa

    of = pa.types
    return of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind)


def stored(array: Any) -> Any:
    """What an extension or a dictionary stores."""
    import pyarrow as pa

    array = array.storage if isinstance(array, pa.ExtensionArray) else array
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def flattened(array: Any, wanted: tuple[int, ...] | None = None) -> Flat:
    """Take nested lists apart, all of which must have one length where they lie equally deep.

    Args:
        array: n rows of lists, or of anything else, which stays.
        wanted: Lengths that lists of earlier rows had; None for those of the first row here.
    """
    import pyarrow.compute as pc

    shape: tuple[int, ...] = (len(array),)
    while is_list(array.type):
        each = max(1, math.prod(shape[1:]))
        lengths = pc.list_value_length(array).fill_null(-1).to_numpy(zero_copy_only=False)
        if wanted is not None and len(shape) <= len(wanted):
            length = wanted[len(shape) - 1]
        else:
            length = max(0, int(lengths[0])) if len(lengths) else 0
        if len(bad := np.flatnonzero(lengths != length)):
            found = int(lengths[bad[0]])
            return Flat(array, shape, int(bad[0]) // each, None if found < 0 else found)
        shape = (*shape, length)
        array = array.flatten()
    return Flat(array, shape)
