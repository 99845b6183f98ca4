"""Arrays filled from a stream of bytes, without a second copy."""

from typing import Any

import numpy as np

# Reading in pieces keeps decompressors from holding a whole array of their own.
_PIECE = 2**20


def fill(stream: Any, array: np.ndarray, what: str) -> None:
    """Read exactly the bytes of `array` and then find the stream's end.

    Reaching the end is what makes gzip and zip verify their checksums.

    Args:
        stream: An open binary stream.
        array: C-contiguous, written in place.
        what: The stream's name, the beginning of the error's text.

    Raises:
        EOFError: If the stream ends early.
        ValueError: If it goes on.
    """
    view = memoryview(array.reshape(-1).view(np.uint8).data)
    done = 0
    while done < len(view):
        got = stream.readinto(view[done : done + _PIECE])
        if not got:
            raise EOFError(f"{what} ends after {done:,} of {len(view):,} bytes")
        done += got
    if stream.read(1):
        raise ValueError(f"{what} goes on after {len(view):,} bytes")
