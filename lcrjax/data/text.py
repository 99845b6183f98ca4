"""Strings in arrays of untrusted files."""

import numpy as np

from lcrjax.data.errors import DataError

_LAST_POINT, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


def as_text(array: np.ndarray, what: str) -> np.ndarray:
    """Return bytes decoded from UTF-8, strings checked, and all else as it is.

    NumPy believes any four bytes to be a character; Python stumbles over them wherever they are
    used.

    Raises:
        DataError: If what the text calls `what` is no text.
    """
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{what} is no text in UTF-8: save it as str.") from error
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        points = plain.reshape(-1).view(np.uint32)
        low, high = _SURROGATES
        if points.max() > _LAST_POINT or ((points >= low) & (points <= high)).any():
            raise DataError(f"{what} holds characters that are none: the file is damaged.")
        return plain
    return array
