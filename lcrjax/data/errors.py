"""Errors of data, in one sentence each."""

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class DataError(ValueError):
    """Data that cannot be used; the text says what is wrong and what to do about it.

    Its unprintable characters are escaped.
    """

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


def printable(text: str) -> str:
    """Escape unprintable characters of what came from untrusted files and may go to a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class UnreadableError(Exception):
    """One file of many that cannot be used; the text says why and what to do, without its name."""


@contextlib.contextmanager
def reading(what: Path | str, advice: str, *, typed: bool = False) -> Iterator[None]:
    """Turn whatever readers stumble over in damaged data into a `DataError` that names the data.

    The error ends in the advice; a `DataError` of the block itself is passed on.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        text = f"cannot read {what} ({reason(error, typed=typed)}): {advice}."
        raise DataError(text) from error


def reason(error: BaseException, *, typed: bool = False) -> str:
    """Say in a few words what an exception says, after its type if wanted."""
    kind = type(error).__name__
    lines = (getattr(error, "strerror", None) or str(error)).strip().splitlines()
    if not lines:
        return kind
    text = lines[0][:200].rstrip(".")
    return f"{kind}: {text}" if typed else text


def need(module: str, package: str, extra: str) -> Any:
    """Import a module of a package on PyPI that only some sources need, as an extra brings it.

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
