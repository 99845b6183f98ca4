"""How far a study is."""

import dataclasses
from collections.abc import Callable

from lcrjax.training import Progress


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
