"""Display of one model in training: a line per epoch, and a bar on a terminal."""

import math
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lcrjax.cli.display import duration
from lcrjax.training import FullProgress


class EpochLines(Progress):
    """Prints a line when an epoch is done; on a terminal, a bar shows the one in work.

    Args:
        console: Where to print.
        quiet: Whether to print nothing.
    """

    def __init__(self, console: Console, *, quiet: bool):
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} images, {task.fields[rate]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._quiet = quiet
        self._begun = False
        self._task = self.add_task("starting", total=1, rate="compiling")

    def __call__(self, progress: FullProgress) -> None:
        """Show where training stands."""
        p = progress
        if not self._begun and p.found:
            self._say(f"resumed: {p.found} epochs were finished before")
        self._begun = True
        self.update(
            self._task,
            description=f"epoch {p.epoch} of at most {p.max_epochs}",
            completed=p.images,
            total=p.total,
            rate=f"{p.rate:,.0f} images/s" if p.rate else "compiling",
            refresh=True,
        )
        if p.fresh:
            self._say(epoch_line(p.curve[-1], p.max_epochs))

    def _say(self, text: str) -> None:
        if not self._quiet:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def epoch_line(row: Mapping[str, float | int], max_epochs: int) -> str:
    """Say in one line what an epoch brought, and how long the rest may take."""
    epoch = int(row["epoch"])
    if math.isnan(row["loss"]):
        return f"epoch {epoch}: the loss became NaN or infinite"
    parts = [f"loss {row['loss']:.4f}", f"training accuracy {row['sample_accuracy']:.4f}"]
    if not math.isnan(row["validation_bacc"]):
        parts.append(f"validation BACC {row['validation_bacc']:.4f}")
    scores = (f"{k.upper()} {row[f'test_{k}']:.4f}" for k in ("auc", "acc", "bacc"))
    parts.append(f"test {' '.join(scores)}")
    parts.append(duration(row["seconds"]))
    if epoch < max_epochs:
        parts.append(f"at most {duration(row['seconds'] * (max_epochs - epoch))} left")
    return f"epoch {epoch} of at most {max_epochs}: {', '.join(parts)}"
