"""Bytes that a file claims: limited before it is believed, then read to the last one."""

import os
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError

VARIABLE = "LCRJAX_MAX_BYTES"
#: Pixels that one picture may have where no option says otherwise: 16,384 × 16,384.
MAX_PIXELS = 2**28
_ALWAYS = 2**30
_NEVER = 2**33
_EXPANSION = 100
# Deflate cannot pack more than this into one byte, so a larger claim is a lie.
DEFLATE_RATIO = 1032
# Reading in pieces keeps decompressors from holding a whole array of their own.
_PIECE = 2**20


def check_bytes(what: str, claimed: int, stored: int, max_bytes: int | None) -> None:
    """Refuse a source of `stored` bytes on disk whose arrays would take more than the limit.

    The limit is 100 times what is stored, but at least 1 GiB and at most 8 GiB, unless `max_bytes`
    or else the environment variable `LCRJAX_MAX_BYTES` says otherwise.

    Raises:
        DataError: If it claims too much, or the limit is not a positive whole number.
    """
    limit = min(max(_ALWAYS, _EXPANSION * stored), _NEVER)
    if max_bytes is not None:
        limit = max_bytes
    elif text := os.environ.get(VARIABLE):
        if not (text.isascii() and text.isdigit()):
            raise DataError(f"{VARIABLE} is {text!r}: give a whole number of bytes.")
        limit = int(text)
    if limit < 1:
        raise DataError(f"max_bytes is {limit!r}: give at least 1.")
    if claimed > limit:
        raise DataError(
            f"{what} would expand from {stored:,} to {claimed:,} bytes, more than the limit of "
            f"{limit:,}: if you trust it, raise the limit with max_bytes= or {VARIABLE}={claimed}."
        )


def fill(stream: Any, array: np.ndarray, what: str) -> None:
    """Read exactly the bytes of a C-contiguous array in place and then find the stream's end.

    Reaching the end is what makes gzip and zip verify their checksums.

    Raises:
        EOFError: If the stream, which the text calls `what`, ends early.
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
