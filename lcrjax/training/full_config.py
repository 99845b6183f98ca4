"""Configuration of the training of a full dataset's reference model."""

import dataclasses
from typing import Any

from lcrjax.training.checks import LARGEST_SEED
from lcrjax.training.config import SCHEDULES, TrainingConfig


@dataclasses.dataclass(frozen=True)
class FullConfig:
    """Choices for one model on all training images of a dataset.

    Attributes:
        training: The recipe and the stopping rule. `check_above`, `models_at_once` and
            `memory_gib` have no bearing on a model that trains alone and is looked at after
            every epoch. Its own schedule stays constant; the one below counts.
        schedule: "cosine": the step size falls to zero over `training.max_epochs` epochs along
            half a cosine; "constant": it stays.
        validation: Part of each class that is held out of training, in [0, 1). With one, the
            epoch of the highest balanced accuracy on it is scored; without, the last epoch.
        seed: Seed of initial weights, of the order of images and of the validation split.
    """

    training: TrainingConfig = dataclasses.field(
        default_factory=lambda: TrainingConfig(max_epochs=20)
    )
    schedule: str = "cosine"
    validation: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {SCHEDULES}, not {self.schedule!r}")
        if self.training.schedule != "constant":
            raise ValueError(
                "a full dataset's schedule is that of FullConfig, over training.max_epochs: "
                "leave training.schedule constant"
            )
        if self.training.beyond:
            raise ValueError(
                f"training.beyond is {self.training.beyond}, and a full dataset's model is scored "
                "after every epoch: leave it 0, or set another target_accuracy"
            )
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation must lie in [0, 1), not {self.validation}")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"seed must lie between 0 and {LARGEST_SEED}, not {self.seed}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**dataclasses.asdict(self), "training": self.training.to_dict()}
