"""Train many ResNet-18s on small subsets of an image dataset, or one on all of it."""

from lcrjax.training.config import TrainingConfig
from lcrjax.training.full import train_full
from lcrjax.training.full_config import FullConfig
from lcrjax.training.full_result import FullProgress, FullResult
from lcrjax.training.progress import Progress
from lcrjax.training.subsets import block_size, train_subsets

__all__ = [
    "FullConfig",
    "FullProgress",
    "FullResult",
    "Progress",
    "TrainingConfig",
    "block_size",
    "train_full",
    "train_subsets",
]
