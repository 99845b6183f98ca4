"""The same training in PyTorch, one subset after another: the peer of benchmarks.training.

Where there is a GPU, network and data live on it, and the host waits for it once an epoch.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from torch import nn
from torch.nn import functional

from lcrjax.training import TrainingConfig
from lcrjax.training.networks.resnet18_architecture import Architecture

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.backends.cudnn.benchmark = True  # a subset has few shapes of batches


class Block(nn.Module):
    """torchvision's BasicBlock."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(c_out)
        self.second = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(c_out)
        self.shortcut = (
            nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
            if stride != 1
            else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(y)) + self.shortcut(x))


def resnet18(architecture: Architecture) -> nn.Module:
    """Build torchvision's ResNet-18 with our first and last layer."""
    stem, base = architecture.stem_geometry, architecture.base
    layers: list[nn.Module] = [
        nn.Conv2d(architecture.channels, base, stem.size, stem.stride, stem.padding, bias=False),
        nn.BatchNorm2d(base),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    channels = base
    for stage in range(4):
        for position in range(2):
            out = base * 2**stage
            layers.append(Block(channels, out, 2 if stage and not position else 1))
            channels = out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, architecture.n_classes)]
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def as_tensor(images: np.ndarray) -> torch.Tensor:
    images = images if images.ndim == 4 else images[..., None]
    scaled = images / np.float32(255) if images.dtype == np.uint8 else images.astype(np.float32)
    tensor = torch.from_numpy(2 * scaled - 1).permute(0, 3, 1, 2)
    return tensor.to(DEVICE).contiguous(memory_format=torch.channels_last)


@dataclasses.dataclass(frozen=True)
class Resident:
    """A dataset on the device, and the shape of the network for it."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: np.ndarray
    architecture: Architecture


def place(dataset: Any, config: TrainingConfig) -> Resident:
    """Put a dataset on the device once for all its subsets."""
    shape = dataset.train_images.shape[1:]
    channels = shape[2] if len(shape) == 3 else 1
    return Resident(
        as_tensor(dataset.train_images),
        torch.from_numpy(dataset.train_labels.astype(np.int64)).to(DEVICE),
        as_tensor(dataset.test_images),
        dataset.test_labels,
        Architecture(shape[0], shape[1], channels, dataset.n_classes, config.base_channels),
    )


def autocast(config: TrainingConfig) -> torch.autocast:
    """Products in half width where the recipe says so; parameters stay float32."""
    half = config.precision == "bfloat16"
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=half)


def wait() -> None:
    """Wait for the GPU, where there is one."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def make_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            network.parameters(), config.learning_rate, momentum=0.9, nesterov=True
        )
    return torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
    )


def batches(order: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Cut into batches that differ by one at most, as lcrjax does."""
    count = -(-len(order) // size)
    return iter(torch.tensor_split(order, count))


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: torch.Tensor,
    labels: torch.Tensor,
    config: TrainingConfig,
) -> torch.Tensor:
    """Train one epoch; returns how many images were right, each before its step."""
    network.train()
    right = torch.zeros((), dtype=torch.int64, device=DEVICE)
    for chosen in batches(torch.randperm(len(images), device=DEVICE), config.batch_size):
        optimizer.zero_grad(set_to_none=True)
        with autocast(config):
            logits = network(images[chosen])
            loss = functional.cross_entropy(logits, labels[chosen])
        loss.backward()
        optimizer.step()
        right += (logits.detach().argmax(1) == labels[chosen]).sum()
    return right


@torch.no_grad()
def accuracy_with_precise_statistics(
    network: nn.Module, images: torch.Tensor, labels: torch.Tensor, config: TrainingConfig
) -> float:
    """Recompute the statistics over all images, then count in inference mode."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative average
    network.train()
    cut = list(batches(torch.arange(len(images), device=DEVICE), config.settling_batch))
    with autocast(config):
        for chosen in cut:
            network(images[chosen])
        network.eval()
        right = torch.stack([(network(images[c]).argmax(1) == labels[c]).sum() for c in cut])
    return int(right.sum()) / len(images)


def start(architecture: Architecture) -> nn.Module:
    return resnet18(architecture).to(DEVICE, memory_format=torch.channels_last)


def make_epoch(
    architecture: Architecture, config: TrainingConfig, pixels: np.ndarray, labels: np.ndarray
) -> Callable[[], None]:
    """Return a function that trains one epoch, warmed up."""
    network = start(architecture)
    optimizer = make_optimizer(network, config)
    images, targets = as_tensor(pixels), torch.from_numpy(labels).to(DEVICE)

    def epoch() -> None:
        train_epoch(network, optimizer, images, targets, config)
        wait()

    epoch()
    return epoch


def train(data: Resident, subset: np.ndarray, seed: int, config: TrainingConfig) -> dict[str, Any]:
    """Train one model to the criterion and score it."""
    torch.manual_seed(seed)
    network = start(data.architecture)
    optimizer = make_optimizer(network, config)
    chosen = torch.from_numpy(subset.astype(np.int64)).to(DEVICE)
    images, labels = data.train_images[chosen], data.train_labels[chosen]
    images = images.contiguous(memory_format=torch.channels_last)
    epochs, accuracy = 0, 0.0
    while epochs < config.max_epochs and accuracy < config.target_accuracy:
        epochs += 1
        right = train_epoch(network, optimizer, images, labels, config)
        # Far from the criterion lcrjax does not look either.
        if int(right) >= config.check_above * len(images) or epochs == config.max_epochs:
            accuracy = accuracy_with_precise_statistics(network, images, labels, config)
    test = data.test_images
    with torch.no_grad(), autocast(config):
        cut = batches(torch.arange(len(test), device=DEVICE), config.settling_batch)
        predicted = torch.cat([network(test[c]).argmax(1) for c in cut])
    bacc = balanced_accuracy_score(data.test_labels, predicted.cpu().numpy())
    return {"epochs": epochs, "train_accuracy": accuracy, "bacc": bacc}
