"""Displays of a study in progress: a bar on a terminal, plain lines elsewhere, or nothing."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
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


class Bars(Progress):
    """A live bar of the share done, with a line below it about what is being done.

    Args:
        console: Where to draw.
        get_time: The clock.
        disable: Whether to draw nothing.
    """

    _line = ""

    def __init__(
        self,
        console: Console,
        get_time: Callable[[], float] = time.monotonic,
        *,
        disable: bool = False,
    ):
        super().__init__(
            BarColumn(bar_width=30),
            TextColumn("{task.fields[rows]}/{task.fields[of]} subsets"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            get_time=get_time,
            disable=disable,
            speed_estimate_period=_SPEED_PERIOD,
        )
        self._task = self.add_task("", total=1.0, rows=0, of=0)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw the bar, and the line, which may be longer."""
        yield from super().get_renderables()
        if self._line:
            yield Text(self._line, overflow="ellipsis", no_wrap=True)

    def stop(self) -> None:
        """Draw for the last time, without the line."""
        self._line = ""
        if not self.disable:
            super().stop()

    def __call__(self, progress: StudyProgress) -> None:
        """Move the bar."""
        self._line = _what(progress)
        done: dict[str, Any] = {"rows": progress.rows, "of": progress.total}
        done["completed"] = progress.share
        if progress.stage == "found":  # which tells nothing of this run's speed
            self.reset(self._task, total=1, **done)
        else:
            self.update(self._task, refresh=True, **done)


class Lines(Bars):
    """Plain lines: one when a dataset and size begins, one a minute, one when it is done.

    Args:
        console: Where to print.
        get_time: The clock.
    """

    def __init__(self, console: Console, get_time: Callable[[], float] = time.monotonic):
        super().__init__(console, get_time, disable=True)
        self._last = 0.0
        self._group: tuple[str, str, int] | None = None
        self._found = 0

    def __call__(self, progress: StudyProgress) -> None:
        """Print a line if there is something new to say."""
        super().__call__(progress)
        if progress.stage == "found":
            self._found = progress.rows
            if progress.rows == progress.total:
                self._say(f"all {progress.total} subsets were finished before")
            return
        if self._found and progress.stage != "reporting":
            self._say(f"resumed: {self._found} of {progress.total} subsets were finished before")
        self._found = 0
        now = self.get_time()
        around = progress.stage if not progress.n else ""
        group = around, progress.dataset, progress.n
        complete = progress.stage == "written" and progress.block + 1 == progress.blocks
        if group != self._group or complete or now - self._last > _SELDOM:
            self._group, self._last = group, now
            self._say(f"{self._line}{self._count(progress) if progress.n else ''}")

    def _count(self, progress: StudyProgress) -> str:
        left = self.tasks[0].time_remaining
        time_left = "" if left is None else f", {duration(left)} left"
        return f", {progress.rows} of {progress.total} subsets done{time_left}"

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def choose_display(console: Console, *, quiet: bool) -> Bars:
    """Return the display that suits a console."""
    plain = not (quiet or console.is_terminal)
    return Lines(console) if plain else Bars(console, disable=quiet)


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
        "measuring": f"measuring subsets of {progress.dataset} with more similarities",
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
