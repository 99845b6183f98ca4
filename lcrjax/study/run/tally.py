"""Tally of what is done of a study, as its caller is told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from lcrjax.data import Dataset
from lcrjax.study.run.plan import Block
from lcrjax.study.run.progress import StudyCallback, StudyProgress
from lcrjax.training import Progress


@runtime_checkable
class Listener(Protocol):
    """Who is told how blocks under way stand."""

    def note(self, block: Block, training: Progress) -> None:
        """Note how far a block's training has come."""

    def tell(self, stage: str, block: Block, training: Progress | None = None) -> None:
        """Tell what is being done to a block."""


class Tally:
    """Count of what is done, of several blocks at once if need be.

    Args:
        datasets: The study's, by name.
        blocks: All blocks of the study.
        callback: Who is told.
    """

    def __init__(
        self, datasets: Mapping[str, Dataset], blocks: Sequence[Block], callback: StudyCallback
    ):
        self._datasets = datasets
        self._callback = callback
        self._counts = Counter((b.dataset, b.n) for b in blocks)
        self._total = sum(len(b.seeds) for b in blocks)
        self._rows = 0
        self._pixels = sum(map(self._pixels_of, blocks))
        self._pixels_done = 0
        self._begun: dict[Block, float] = {}
        self._finished: set[Block] = set()

    def _pixels_of(self, block: Block) -> int:
        dataset = self._datasets[block.dataset]
        return block.subsets.size * dataset.n_pixels * dataset.n_channels

    def finish(self, stage: str, block: Block) -> None:
        """Count a block as done, and tell."""
        self._rows += len(block.seeds)
        self._pixels_done += self._pixels_of(block)
        self._begun.pop(block, None)
        self._finished.add(block)
        self.tell(stage, block)

    def note(self, block: Block, training: Progress) -> None:
        """Note how far a block's training has come; begun anew, it does not go back.

        News of a finished block may come late, and say nothing.
        """
        if block in self._finished:
            return
        share = training.finished / training.total
        self._begun[block] = max(share, self._begun.get(block, 0.0))

    def measuring(self, dataset: str, _: float) -> None:
        """Tell that a dataset's subsets are measured with more similarities."""
        total = self._total
        self._callback(StudyProgress("measuring", dataset, rows=total, total=total, share=1.0))

    def tell(self, stage: str, block: Block, training: Progress | None = None) -> None:
        """Tell what is being done to a block."""
        if training:
            self.note(block, training)
        begun = sum(share * self._pixels_of(b) for b, share in self._begun.items())
        self._callback(
            StudyProgress(
                stage=stage,
                dataset=block.dataset,
                n=block.n,
                block=block.index,
                blocks=self._counts[block.dataset, block.n],
                rows=self._rows,
                total=self._total,
                training=training,
                share=(self._pixels_done + begun) / self._pixels,
            )
        )
