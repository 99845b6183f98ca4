"""Limits on the bytes that a file may claim before it is believed."""

import os

from lcrjax.data.errors import DataError

VARIABLE = "LCRJAX_MAX_BYTES"
_ALWAYS = 2**30
_NEVER = 2**33
_EXPANSION = 100
# Deflate cannot pack more than this into one byte, so a larger claim is a lie.
DEFLATE_RATIO = 1032


def byte_limit(stored: int, max_bytes: int | None = None) -> int:
    """Return how many bytes of arrays a source of `stored` bytes may expand to.

    100 times what is stored, but at least 1 GiB and at most 8 GiB, unless `max_bytes` or the
    environment variable `LCRJAX_MAX_BYTES` says otherwise.

    Args:
        stored: Bytes on disk.
        max_bytes: The limit itself, which goes before the environment variable.

    Raises:
        DataError: If the limit is not a positive whole number.
    """
    if max_bytes is None and os.environ.get(VARIABLE):
        text = os.environ[VARIABLE]
        if not (text.isascii() and text.isdigit()):
            raise DataError(f"{VARIABLE} is {text!r}: give a whole number of bytes.")
        max_bytes = int(text)
    if max_bytes is None:
        return min(max(_ALWAYS, _EXPANSION * stored), _NEVER)
    if max_bytes < 1:
        raise DataError(f"max_bytes is {max_bytes!r}: give at least 1.")
    return max_bytes


def check_bytes(what: str, claimed: int, stored: int, max_bytes: int | None) -> None:
    """Refuse a source that claims more bytes than the limit.

    Args:
        what: The source, the beginning of the sentence.
        claimed: Bytes of its arrays, as it says itself.
        stored: Bytes on disk.
        max_bytes: See `byte_limit`.

    Raises:
        DataError: If it claims too much.
    """
    limit = byte_limit(stored, max_bytes)
    if claimed > limit:
        raise DataError(
            f"{what} would expand from {stored:,} to {claimed:,} bytes, more than the limit of "
            f"{limit:,}: if you trust it, raise the limit with max_bytes= or {VARIABLE}={claimed}."
        )
