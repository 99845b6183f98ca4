"""Progress of a study, as its callers are told."""

import dataclasses
from collections.abc import Callable

from lcrjax.training import Progress


@dataclasses.dataclass(frozen=True)
class StudyProgress:
    """Where a study stands.

    Attributes:
        stage: "loading" while a dataset is loaded, "designing" while subsets of all are chosen;
            then "features" while a block is measured, "training" while it is trained, "written"
            when its rows are safe, "found" when they were finished before; "measuring" while the
            subsets of a dataset are measured with more similarities; at last "reporting".
        dataset: Dataset of the block; of the first two stages, the source or all names.
        n: Images of each of the block's subsets.
        block: Number of the block among those of this dataset and size, from 0.
        blocks: How many blocks this dataset and size has.
        rows: Finished rows of the whole study.
        total: Rows that the study will have.
        training: What the trainer said last about this block, if it has begun.
        share: Share of the study that is done, by the pixels of its subsets, in [0, 1].
    """

    stage: str
    dataset: str = ""
    n: int = 0
    block: int = 0
    blocks: int = 0
    rows: int = 0
    total: int = 0
    training: Progress | None = None
    share: float = 0.0


StudyCallback = Callable[[StudyProgress], None]
