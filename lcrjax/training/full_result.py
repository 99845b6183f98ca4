"""Progress and result of the training of a full dataset, as a caller is told."""

import dataclasses

import pandas as pd

from lcrjax.training.metrics import Scores

#: A row of the learning curve, by the names of `CURVE`.
Row = dict[str, int | float]
CURVE = (
    "epoch",
    "loss",
    "running_accuracy",
    "sample_accuracy",
    "train_accuracy",
    *(f"validation_{name}" for name in Scores._fields),
    *(f"test_{name}" for name in Scores._fields),
    "seconds",
)


@dataclasses.dataclass(frozen=True)
class FullProgress:
    """Where the training of a full dataset stands.

    Attributes:
        epoch: The epoch in work, from 1; after the last one, that.
        max_epochs: The most there may be.
        images: Images of this epoch trained on.
        total: Images of an epoch.
        rate: Images trained on per second in the latest chunk, 0 before it.
        curve: The learning curve's rows so far.
        fresh: Whether the latest of them was just added.
        found: Whole epochs that an earlier process had done.
    """

    epoch: int
    max_epochs: int
    images: int
    total: int
    rate: float
    curve: tuple[Row, ...]
    fresh: bool
    found: int


@dataclasses.dataclass(frozen=True)
class FullResult:
    """A reference model's performance and how it came about.

    Attributes:
        scores: acc, bacc, auc and auc_micro on the test set, NaN after a failure.
        epoch: The epoch that was scored.
        epochs: Epochs trained.
        train_accuracy: In inference mode, over all images trained on, after the last epoch.
        converged: Whether that met the target.
        failure: A sentence, or None.
        seconds: Wall time of training and evaluation, all processes together.
        curve: The learning curve, one row per epoch: `epoch`, `loss` and `running_accuracy`
            (training mode, weights changing), `sample_accuracy` (inference mode, up to 2,048
            of the images trained on), `train_accuracy` (all of them; NaN where the sample was
            far from the target), acc, bacc, auc and auc_micro with the prefixes `validation_`
            and `test_`, and `seconds`.
    """

    scores: dict[str, float]
    epoch: int
    epochs: int
    train_accuracy: float
    converged: bool
    failure: str | None
    seconds: float
    curve: pd.DataFrame
