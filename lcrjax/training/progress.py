"""Progress of many models in training, as a caller is told."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a call of `train_subsets` stands.

    Attributes:
        finished: Models that are done, whatever the outcome.
        total: Models in this call.
        active: Models being trained now.
        epoch: Epochs of the most advanced active model.
        images: Images trained on since the call began, every epoch counted.
        seconds: Seconds since the call began.
    """

    finished: int
    total: int
    active: int
    epoch: int
    images: int
    seconds: float


ProgressCallback = Callable[[Progress], None]
