"""Display of several steps: a bar on a terminal, plain lines elsewhere, or nothing."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

QUIET = Annotated[
    bool, typer.Option("--quiet", help="Print the result and errors alone: no progress, no notes.")
]
#: Told the name of a step and the share of it that is done.
Show = Callable[[str, float], None]


def say(note: str, *, quiet: bool) -> None:
    """Print a note on standard error, unless the command is to be quiet."""
    if not quiet:
        typer.echo(note, err=True)


@contextlib.contextmanager
def choose_steps(console: Console, *, quiet: bool) -> Iterator[Show]:
    """Show steps in the way that suits a console.

    Yields:
        A function to call with a step's name and the share of it that is done.
    """
    if quiet or console.is_terminal:
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet,
        ) as bar:
            task = bar.add_task("reading", total=None)  # which all commands begin with
            # A step that tells no shares gets a bar that only moves.
            yield lambda step, share: bar.update(
                task, description=step, completed=share, total=1.0 if share else None
            )
    else:
        # One line for every step, when it begins, with the seconds since the first.
        started, last = time.monotonic(), ""

        def show(step: str, share: float) -> None:
            nonlocal last
            if step != last:
                last = step
                text = f"{time.monotonic() - started:5.1f} s  {step}"
                console.print(text, markup=False, highlight=False)

        yield show
