"""Errors of data, in one sentence each."""

import contextlib
import gzip
import importlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What the standard library raises on damaged or hostile files.
_DAMAGE = (
    EOFError,
    OSError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    gzip.BadGzipFile,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class DataError(ValueError):
    """Data that cannot be used; the text says what is wrong and what to do about it.

    Unprintable characters are escaped, since names come from untrusted files and the text may go
    to a terminal.
    """

    def __init__(self, text: str) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


@contextlib.contextmanager
def reading(path: Path | str, advice: str) -> Iterator[None]:
    """Turn what a damaged file raises into a `DataError` that names the file.

    Args:
        path: The file that is being read.
        advice: What to do about it, the end of the sentence.

    Raises:
        DataError: If the block raises one itself (passed on) or meets damage.
    """
    try:
        yield
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(f"cannot read {path} ({reason(error)}): {advice}.") from error


def reason(error: BaseException, *, typed: bool = False) -> str:
    """Say in a few words what an exception says, after its type if wanted."""
    kind = type(error).__name__
    lines = (getattr(error, "strerror", None) or str(error)).strip().splitlines()
    if not lines:
        return kind
    text = lines[0][:200].rstrip(".")
    return f"{kind}: {text}" if typed else text


def need(module: str, package: str, extra: str) -> Any:
    """Import a package that only some sources of data need.

    Args:
        module: What to import, such as "PIL.Image".
        package: Its name on PyPI.
        extra: The extra of lcrjax that brings it.

    Raises:
        ImportError: If it is not installed; the text says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"this source of data needs {package} ({error}): "
            f"install it with: pip install 'lcrjax[{extra}]'"
        ) from error
