"""Outcomes of a command: exit codes, and errors in one sentence instead of a traceback."""

import contextlib
import os
import re
import signal
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, TextIO

import typer

#: Nothing was started: an argument, the data or the output folder cannot be used.
BAD_INPUT = 2
#: The study is complete, but some subsets could not be trained.
SOME_FAILED = 3
#: The disk is full or not writable.
NO_DISK = 4
#: Machines were lost again and again, or are of another kind than those before.
OTHER_MACHINES = 5
#: Interrupted by Ctrl-C or a request to terminate.
INTERRUPTED = 130


_PACKAGE = Path(__file__).parents[1]

#: Options of the command that runs, by the names of the arguments that they stand for.
OPTIONS: ContextVar[Mapping[str, str]] = ContextVar("options", default=MappingProxyType({}))


def leave(code: int, sentence: str) -> NoReturn:
    """End the command with an exit code and a sentence on standard error."""
    print(f"lcrjax: {in_options(sentence)}", file=sys.stderr)
    raise typer.Exit(code)


def in_options(sentence: str) -> str:
    """Name options where an error of the library names the arguments of a function.

    `size is 0` becomes `--size is 0`, `resize=8` becomes `--resize 8`, `test_fraction` becomes
    `--test-fraction`, and `labels= (--labels FILE)` becomes `--labels FILE`. What stands in quotes
    is the user's, and stays.
    """
    for name, option in OPTIONS.get().items():
        argument = rf"(?<![\w.'\"-]){name}="
        unquoted = rf"(?<![\w.'\"/-]){name}(?![\w.'\"/=-])"
        for said, wanted in (
            (
                rf"(?:{argument}[\w'\"]*(?: or )?)+ \((?:on the command line )?({option}[^)]*)\)",
                r"\1",
            ),
            (rf"{argument}(?:True\b|(?![\w'\"]))", option),
            (rf"{argument}(['\"]?)([\w.%]+)\1", rf"{option} \2"),
            (rf"^{name} is ", f"{option} is "),
            *([(unquoted, option)] if "_" in name else ()),
        ):
            sentence = re.sub(said, wanted, sentence)
    return sentence


@contextlib.contextmanager
def warnings_in_sentences() -> Iterator[None]:
    """Tell warnings to users, and what lcrjax warns of, without a place in the source."""
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        own = category is RuntimeWarning and Path(filename).is_relative_to(_PACKAGE)
        if own or category is UserWarning:
            print(f"lcrjax: {in_options(str(message))}", file=sys.stderr)
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def input_checked(work: "Work | None" = None) -> Iterator[None]:
    """Turn what is wrong with the user's input into a sentence and exit code 2.

    Args:
        work: After its beginning errors are no longer the input's, and pass.
    """
    try:
        yield
    except (ValueError, ImportError, OSError) as error:
        if work is not None and work.begun:
            raise
        leave(BAD_INPUT, str(error))


class Work:
    """A command's work, which a first interruption lets finish its step.

    An exception raised at any moment may strike inside jax, which forgets what its callbacks
    raise and does not always survive being left in the middle. Between `begin` and `end` the
    first Ctrl-C (SIGINT) or SIGTERM is therefore only noted, for `check` to raise between two
    steps; the second is obeyed at once.

    Attributes:
        ready: Whether all input was found good.
        begun: Whether work has begun, from when on a ValueError is a fault of lcrjax.
    """

    def __init__(self) -> None:
        self.ready = self.begun = self._patient = self._asked = False

    def begin(self) -> None:
        """Note that work goes on; raise KeyboardInterrupt if a stop was asked for."""
        self.ready = self.begun = self._patient = True
        self.check()

    def end(self) -> None:
        """Note that what is left may be interrupted at any moment."""
        self._patient = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if a stop was asked for."""
        if self._asked:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: types.FrameType | None) -> None:
        """Handle a signal."""
        if self._asked or not self._patient:
            raise KeyboardInterrupt
        self._asked = True
        print("lcrjax: stopping after this step; press Ctrl-C again to stop now.", file=sys.stderr)


@contextlib.contextmanager
def interruptible(sentence: str) -> Iterator[Work]:
    """Turn both signals into one interruption; one that the process ignores stays ignored.

    Args:
        sentence: What to say when interrupted.
    """
    work = Work()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, work.handle)
    try:
        yield work
    except KeyboardInterrupt:
        leave(INTERRUPTED, sentence)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def work_in(folder: Path, interrupted: str | None = None) -> Iterator[Work]:
    """Work that a folder keeps: interruptible, and told in one sentence why it cannot go on.

    Args:
        folder: Where what is finished lies.
        interrupted: What to say when interrupted; None that it is safe there.
    """
    usual = f"interrupted. What was finished is safe in {folder}; run the same command to resume."
    with interruptible(interrupted or usual) as work:
        from lcrjax.study.run.folder import FolderInUseError
        from lcrjax.study.run.machines import MachineError

        try:
            yield work
        except FolderInUseError as error:
            leave(BAD_INPUT, str(error))
        except MachineError as error:
            leave(OTHER_MACHINES, str(error))
        except OSError as error:
            if not work.ready:
                leave(BAD_INPUT, str(error))
            leave(
                NO_DISK,
                f"cannot write to {folder}: {error}. What was finished is safe. "
                "Make room, then run the same command to resume.",
            )
        except (ValueError, ImportError) as error:
            if work.begun:  # not the input, which was checked before: a fault that needs its trace
                raise
            leave(BAD_INPUT, str(error))


def check_writable(path: Path) -> None:
    """Find out before long work whether a file can be written.

    Raises:
        ValueError: If it is a folder, or its folder does not exist or cannot be written to.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file in it")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"the folder {folder} does not exist: make it, or name another")
    try:
        handle, trial = tempfile.mkstemp(dir=folder, prefix=".", suffix=".partial")
    except OSError as error:
        raise ValueError(
            f"cannot write to {folder} ({error.strerror}): name another folder"
        ) from None
    os.close(handle)
    os.unlink(trial)
