import dataclasses

import numpy as np
import pytest

from lcrjax.training import TrainingConfig, resnet18
from lcrjax.training.networks.protocol import choose_backend
from lcrjax.training.programs import make_programs


@dataclasses.dataclass(eq=False)
class Images:
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    n_classes: int


@pytest.fixture(scope="session")
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    pixels = np.round(data.images[order] * 255 / 16).astype(np.uint8)
    labels = data.target[order].astype(np.int64)
    return Images(pixels[300:], labels[300:], pixels[:300], labels[:300], 10)


@pytest.fixture(scope="session")
def narrow():
    """A narrow network for quick tests; every test that can should share its programs.

    Sixteen channels are the fewest that native kernels take: where they serve, next to nothing is
    compiled.
    """
    return TrainingConfig(
        base_channels=16,
        learning_rate=3e-3,
        batch_size=16,
        settling_batch=32,
        max_epochs=60,
        models_at_once=1,
    )


def programs_of(config, network=resnet18, at_once=1):
    """Return the programs that `train_subsets` uses for digits."""
    backend = choose_backend(network, config, at_once)
    return make_programs(backend, (8, 8, 1), 10, config)
