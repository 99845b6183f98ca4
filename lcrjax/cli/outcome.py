"""How a command ends: its exit codes, and errors in one sentence instead of a traceback."""

import contextlib
import signal
import sys
import types
from collections.abc import Iterator
from typing import NoReturn

import typer

#: Nothing was started: an argument, the data or the output folder cannot be used.
BAD_INPUT = 2
#: The study is complete, but some subsets could not be trained.
SOME_FAILED = 3
#: The disk is full or not writable.
NO_DISK = 4
#: Interrupted by Ctrl-C or a request to terminate.
INTERRUPTED = 130


def leave(code: int, sentence: str) -> NoReturn:
    """End the command with an exit code and a sentence on standard error."""
    print(f"lcrjax: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


@contextlib.contextmanager
def input_checked() -> Iterator[None]:
    """Turn what is wrong with the user's input into a sentence and exit code 2."""
    try:
        yield
    except (ValueError, ImportError, OSError) as error:
        leave(BAD_INPUT, str(error))


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let a request to terminate (SIGTERM) end the work as Ctrl-C does."""

    def interrupt(number: int, frame: types.FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
