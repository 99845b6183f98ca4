"""Displays of a study in progress: a bar on a terminal, plain lines elsewhere, or nothing."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from lcrjax.study.run.progress import StudyProgress

#: Seconds between plain lines about the same dataset and size.
_SELDOM = 60.0
#: Seconds over which rich averages the speed: finished subsets may be minutes apart.
_SPEED_PERIOD = 3600.0


class Silent:
    """Shows nothing."""

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def __call__(self, progress: StudyProgress) -> None:
        """Show nothing."""


class Lines(Silent):
    """Plain lines: one when a dataset and size begins, one a minute, one when it is done.

    Args:
        console: Where to print.
        get_time: The clock.
    """

    def __init__(self, console: Console, get_time: Callable[[], float] = time.monotonic):
        self._console = console
        self._get_time = get_time
        self._bar = _Bar(console=console, disable=True, get_time=get_time)
        self._last = 0.0
        self._group: tuple[str, str, int] | None = None
        self._found = 0

    def __call__(self, progress: StudyProgress) -> None:
        """Print a line if there is something new to say."""
        self._bar.move(progress)
        if progress.stage == "found":
            self._found = progress.rows
            if progress.rows == progress.total:
                self._print(f"all {progress.total} subsets were finished before")
            return
        if self._found and progress.stage != "reporting":
            self._print(f"going on: {self._found} of {progress.total} subsets were finished before")
        self._found = 0
        now = self._get_time()
        around = progress.stage if not progress.n else ""
        group = around, progress.dataset, progress.n
        complete = progress.stage == "written" and progress.block + 1 == progress.blocks
        if group != self._group or complete or now - self._last > _SELDOM:
            self._group, self._last = group, now
            self._print(f"{_what(progress)}{self._count(progress) if progress.n else ''}")

    def _count(self, progress: StudyProgress) -> str:
        left = self._bar.tasks[0].time_remaining
        time_left = "" if left is None else f", {duration(left)} left"
        return f", {progress.rows} of {progress.total} subsets done{time_left}"

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class Bars(Silent):
    """A live bar over all subsets, with a line below it about what is being done.

    Args:
        console: Where to draw.
        get_time: The clock.
    """

    def __init__(self, console: Console, get_time: Callable[[], float] = time.monotonic):
        self._bar = _Bar(
            BarColumn(bar_width=30),
            TextColumn("{task.fields[rows]}/{task.fields[of]} subsets"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            get_time=get_time,
        )

    def __enter__(self) -> "Bars":
        self._bar.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._bar.line = ""
        self._bar.stop()

    def __call__(self, progress: StudyProgress) -> None:
        """Move the bar."""
        self._bar.line = _what(progress)
        self._bar.move(progress)


class _Bar(Progress):
    """A bar of the share done, with a line of text below it that may be longer than it."""

    line = ""

    def __init__(self, *columns: ProgressColumn, **options: Any):
        super().__init__(*columns, speed_estimate_period=_SPEED_PERIOD, **options)
        self._task = self.add_task("", total=1.0, rows=0, of=0)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.line:
            yield Text(self.line, overflow="ellipsis", no_wrap=True)

    def move(self, progress: StudyProgress) -> None:
        if progress.stage == "found":  # which tells nothing of this run's speed
            self.reset(
                self._task,
                total=1.0,  # type: ignore[arg-type]
                completed=progress.share,  # type: ignore[arg-type]
                rows=progress.rows,
                of=progress.total,
            )
        else:
            self.update(
                self._task,
                completed=progress.share,
                refresh=True,
                rows=progress.rows,
                of=progress.total,
            )


def choose_display(console: Console, *, quiet: bool) -> Silent:
    """Return the display that suits a console."""
    if quiet:
        return Silent()
    return Bars(console) if console.is_terminal else Lines(console)


def duration(seconds: float | int) -> str:
    """Say a duration in the words in which one plans: seconds, minutes or hours."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _what(progress: StudyProgress) -> str:
    around = {
        "loading": f"loading {progress.dataset}",
        "designing": f"designing subsets of {progress.dataset}",
        "reporting": "drawing figures and writing the page",
    }
    if progress.stage in around:
        return around[progress.stage]
    where = f"{progress.dataset}, {progress.n} images"
    block = f"block {progress.block + 1} of {progress.blocks}"
    training = progress.training
    if training is None:
        stages = {"features": "measuring", "training": "starting to train", "written": "done with"}
        return f"{where}: {stages.get(progress.stage, 'found')} {block}"
    rate = training.images / training.seconds if training.seconds > 0 else 0.0
    models = "1 model" if training.active == 1 else f"{training.active} models"
    return (
        f"{where}: {block}, training {models}, {training.finished} of {training.total} finished, "
        f"epoch {training.epoch}, {rate:,.0f} images/s"
    )
