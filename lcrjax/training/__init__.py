"""Train many ResNet-18s on small subsets of an image dataset."""

from lcrjax.training.config import TrainingConfig
from lcrjax.training.ensemble import block_size, train_subsets
from lcrjax.training.progress import Progress

__all__ = ["Progress", "TrainingConfig", "block_size", "train_subsets"]
