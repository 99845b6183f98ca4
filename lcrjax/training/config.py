"""The recipe by which every model of a study is trained."""

import dataclasses
from typing import Any

OPTIMIZERS = ("adam", "adamw", "sgd")
PRECISIONS = ("float32", "tensorfloat32", "bfloat16")
SCHEDULES = ("constant", "cosine")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained; the paper leaves everything but the stopping rule open.

    Attributes:
        optimizer: "adam", "adamw" or "sgd" (Nesterov momentum 0.9).
        learning_rate: Step size after the warm-up.
        warmup_steps: Steps over which the step size rises linearly from zero.
        schedule: "constant": the step size stays; "cosine": it falls along half a cosine to a
            hundredth, where it stays, for models train until a criterion and not for a fixed time.
        schedule_epochs: Epochs over which it falls; without bearing on a constant one.
        weight_decay: Decoupled weight decay of kernels and linear weights.
        batch_size: Largest batch. An epoch is cut into batches that differ by one image at most.
        target_accuracy: Training accuracy at which a model stops, in inference mode over the
            whole subset.
        check_above: The target is only checked after epochs whose running accuracy (training
            mode, weights changing) was at least this; the check costs a third of an epoch or two.
        max_epochs: Epochs after which a model stops in any case.
        beyond: Epochs that a model is trained on after it stopped, to be scored a second time; and
            a third time where its running accuracy first met the target. 0 scores it once.
        settling_batch: Images per batch when batch normalisation's statistics are recomputed and
            when models are evaluated.
        precision: "float32"; "tensorfloat32" for products of numbers rounded to 11 bits, where a
            GPU has units for them (PyTorch's choice for convolutions); or "bfloat16" for products
            in half width. Parameters, statistics and sums stay float32.
        models_at_once: Models that advance together; None is one on a CPU, and elsewhere what
            `memory_gib` allows.
        memory_gib: Memory for models in training, GiB.
        base_channels: Channels of the first stage of `resnet18`, 64 in He et al.; without bearing
            on other networks.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    warmup_steps: int = 0
    schedule: str = "constant"
    schedule_epochs: int = 10
    weight_decay: float = 0.0
    batch_size: int = 32
    target_accuracy: float = 0.99
    check_above: float = 0.5
    max_epochs: int = 1000
    beyond: int = 0
    settling_batch: int = 128
    precision: str = "float32"
    models_at_once: int | None = None
    memory_gib: float = 12.0
    base_channels: int = 64

    def __post_init__(self) -> None:
        known = {"optimizer": OPTIMIZERS, "precision": PRECISIONS, "schedule": SCHEDULES}
        for name, choices in known.items():
            value = getattr(self, name)
            _require(value in choices, f"{name} must be one of {choices}, not {value!r}")
        for name in ("learning_rate", "memory_gib"):
            _require(getattr(self, name) > 0, f"{name} must be positive")
        for name in ("warmup_steps", "weight_decay", "beyond"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative")
        for name in ("schedule_epochs", "max_epochs", "base_channels"):
            _require(getattr(self, name) >= 1, f"{name} must be at least 1")
        several = self.models_at_once is None or self.models_at_once >= 1
        _require(several, "models_at_once must be at least 1, or None")
        _require(self.batch_size >= 4, "batch_size must be at least 4, for batch normalisation")
        _require(self.settling_batch >= 4, "settling_batch must be at least 4")
        _require(0 < self.target_accuracy <= 1, "target_accuracy must lie in (0, 1]")
        _require(0 <= self.check_above <= 1, "check_above must lie in [0, 1]")

    @property
    def dtype(self) -> str:
        """What images and weights are multiplied as."""
        return "bfloat16" if self.precision == "bfloat16" else "float32"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold.

        A constant schedule and `beyond=0` are left out: folders that were begun before there was a
        choice hold the same work.
        """
        values = dataclasses.asdict(self)
        if self.schedule == "constant":
            del values["schedule"], values["schedule_epochs"]
        if not self.beyond:
            del values["beyond"]
        return values


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
