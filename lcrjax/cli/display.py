"""What a study shows while it runs: a bar on a terminal, plain lines elsewhere, or nothing."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lcrjax.study.run.progress import StudyProgress

#: Seconds between plain lines about the same dataset and size.
_SELDOM = 60.0


class Display(Protocol):
    """A context in which a study's progress is shown."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, progress: StudyProgress) -> None:
        """Show where the study stands."""
        ...


def choose_display(console: Console, *, quiet: bool) -> Display:
    """Return the display that suits a console."""
    if quiet:
        return Silent()
    return Bars(console) if console.is_terminal else Lines(console)


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def __call__(self, progress: StudyProgress) -> None:
        """Show nothing."""


class Lines:
    """Plain lines: one when a dataset and size begins, one a minute, one when it is done."""

    def __init__(self, console: Console):
        self._console = console
        self._last = 0.0
        self._group: tuple[str, int] | None = None
        self._found = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def __call__(self, progress: StudyProgress) -> None:
        """Print a line if there is something new to say."""
        if progress.stage == "found":
            self._found = progress.rows
            if progress.rows == progress.total:
                self._print(f"all {progress.total} subsets were finished before")
            return
        if self._found:
            self._print(f"going on: {self._found} of {progress.total} subsets were finished before")
            self._found = 0
        now = time.monotonic()
        group = progress.dataset, progress.n
        complete = progress.stage == "written" and progress.block + 1 == progress.blocks
        if group != self._group or complete or now - self._last > _SELDOM:
            self._group, self._last = group, now
            left = duration(progress.seconds_left)
            self._print(f"{_where(progress)}: {_what(progress)}, {_count(progress)}, {left} left")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A live bar over all subsets, with a line below it about what is being trained."""

    def __init__(self, console: Console):
        self._bar = _BarAndLine(
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("subsets"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._bar.line = ""
        self._bar.stop()

    def __call__(self, progress: StudyProgress) -> None:
        """Move the bar."""
        self._bar.line = f"{_where(progress)}: {_what(progress)}"
        self._bar.update(
            self._task,
            description=f"about {duration(progress.seconds_left)} left",
            completed=progress.rows,
            total=progress.total,
            refresh=True,
        )


class _BarAndLine(Progress):
    """Bars with a line of text below them, which may be longer than the bars leave room for."""

    line = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.line:
            yield Text(self.line, overflow="ellipsis", no_wrap=True)


def duration(seconds: float) -> str:
    """Say a duration in the words in which one plans: seconds, minutes or hours."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _where(progress: StudyProgress) -> str:
    return f"{progress.dataset}, {progress.n} images"


def _count(progress: StudyProgress) -> str:
    return f"{progress.rows} of {progress.total} subsets done"


def _what(progress: StudyProgress) -> str:
    block = f"block {progress.block + 1} of {progress.blocks}"
    training = progress.training
    if training is None:
        stages = {"features": "measuring", "training": "starting to train", "written": "done with"}
        return f"{stages.get(progress.stage, 'found')} {block}"
    rate = training.images / training.seconds if training.seconds > 0 else 0.0
    models = "1 model" if training.active == 1 else f"{training.active} models"
    return (
        f"{block}, training {models}, {training.finished} of {training.total} finished, "
        f"epoch {training.epoch}, {rate:,.0f} images/s"
    )
