"""How far a study is, and how long it will still take."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from lcrjax.study.plan import Block
from lcrjax.training import Progress

#: First guesses, replaced by what is measured as soon as a block is finished.
_EPOCHS = 15.0
_PIXELS_PER_SECOND = 2e5


@dataclasses.dataclass(frozen=True)
class StudyProgress:
    """Where a study stands.

    Attributes:
        stage: "features" while a block is measured, "training" while it is trained, "written" when
            its rows are safe, "found" when they were finished before.
        dataset: Dataset of the block.
        n: Images of each of its subsets.
        block: Number of the block among those of this dataset and size, from 0.
        blocks: How many blocks this dataset and size has.
        rows: Finished rows of the whole study.
        total: Rows that the study will have.
        training: What the trainer said last about this block, if it has begun.
        seconds_left: Estimated time until the study's last row.
    """

    stage: str
    dataset: str
    n: int
    block: int
    blocks: int
    rows: int
    total: int
    training: Progress | None
    seconds_left: float


StudyCallback = Callable[[StudyProgress], None]


class TimeLeft:
    """Estimate of a study's remaining time from the blocks that are finished.

    The work of a block is its images times the epochs they need; epochs are those of finished
    subsets of the same dataset and size, else of the nearest size, else of other datasets. Its
    time is its work over the rate at which this dataset's images were trained, else over the rate
    of pixels of other datasets. Compilation is part of the measured times.

    Args:
        blocks: The study's plan.
        pixels: Numbers per image of each dataset.
    """

    def __init__(self, blocks: Sequence[Block], pixels: Mapping[str, int]):
        self._pixels = dict(pixels)
        self._open = Counter[tuple[str, int]]()
        for block in blocks:
            self._open[block.dataset, block.n] += len(block.seeds)
        self._epochs: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._images: dict[str, float] = defaultdict(float)
        self._seconds: dict[str, float] = defaultdict(float)

    def finished(self, block: Block, rows: pd.DataFrame, seconds: float | None) -> None:
        """Take note of a block's rows and, where this process trained it, of its wall time."""
        self._open[block.dataset, block.n] -= len(block.seeds)
        epochs = rows["epochs"].dropna()
        if len(epochs):
            self._epochs[block.dataset, block.n].append(float(epochs.mean()))
        if seconds is not None:
            self._images[block.dataset] += float(epochs.sum()) * block.n
            self._seconds[block.dataset] += seconds

    def seconds(self) -> float:
        """Estimate the time that all unfinished blocks take."""
        return sum(self._cost(dataset, n, k) for (dataset, n), k in self._open.items())

    def seconds_within(self, block: Block, elapsed: float, share: float) -> float:
        """Estimate the time left while a block is in work.

        Args:
            block: The unfinished block in work.
            elapsed: Seconds spent on it.
            share: Share of its models that are done, in [0, 1].
        """
        expected = self._cost(block.dataset, block.n, len(block.seeds))
        # A block that outruns its estimate still has its unfinished models to go.
        return self.seconds() - min(elapsed, expected * (0.9 + 0.1 * share))

    def _cost(self, dataset: str, n: int, subsets: int) -> float:
        return subsets * n * self._expected_epochs(dataset, n) / self._rate(dataset)

    def _rate(self, dataset: str) -> float:
        """Images a second."""
        if self._images.get(dataset, 0) > 0:
            return self._images[dataset] / self._seconds[dataset]
        pixels = sum(self._images[d] * self._pixels[d] for d in self._images)
        known = pixels / sum(self._seconds.values()) if pixels > 0 else _PIXELS_PER_SECOND
        return known / self._pixels[dataset]

    def _expected_epochs(self, dataset: str, n: int) -> float:
        seen = [
            (other != dataset, max(size, n) / min(size, n), sum(epochs) / len(epochs))
            for (other, size), epochs in self._epochs.items()
        ]
        return min(seen)[2] if seen else _EPOCHS
