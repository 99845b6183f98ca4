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


class Interruption:
    """A request to stop, by Ctrl-C (SIGINT) or by SIGTERM.

    An exception raised at any moment may strike inside jax, which forgets what its callbacks
    raise and does not always survive being left in the middle. While `patient` is set, the first
    request is therefore only noted, for `check` to raise between two steps; the second is obeyed
    at once.
    """

    def __init__(self) -> None:
        self.patient = False
        self._asked = False

    def __call__(self, number: int, frame: types.FrameType | None) -> None:
        """Handle the signal."""
        if self._asked or not self.patient:
            raise KeyboardInterrupt
        self._asked = True
        print("lcrjax: stopping after this step; once more stops at once.", file=sys.stderr)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a stop was asked for."""
        if self._asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn both signals into one interruption; one that the process ignores stays ignored."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interruption)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
