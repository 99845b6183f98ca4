"""Training of many models on small subsets of an image dataset, or of one on all of it."""

from lcrjax.training.config import TrainingConfig
from lcrjax.training.full import train_full
from lcrjax.training.full_config import FullConfig
from lcrjax.training.full_result import FullProgress, FullResult
from lcrjax.training.networks.nnx_module import from_nnx
from lcrjax.training.networks.protocol import Backend, Network
from lcrjax.training.networks.resnet18 import resnet18
from lcrjax.training.progress import Progress
from lcrjax.training.subsets import block_size, train_subsets

__all__ = [
    "Backend",
    "FullConfig",
    "FullProgress",
    "FullResult",
    "Network",
    "Progress",
    "TrainingConfig",
    "block_size",
    "from_nnx",
    "resnet18",
    "train_full",
    "train_subsets",
]
