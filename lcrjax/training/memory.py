"""How many models fit, and how many subsets make a block."""

import jax

from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.resnet18 import Architecture

WIDEST = 64
IMAGES_PER_BLOCK = 2048
SUBSETS_PER_BLOCK = 16


def model_bytes(architecture: Architecture, config: TrainingConfig) -> int:
    """Estimate the memory that one model in training needs.

    Weights, gradient and two moments; and for every image of a batch the activations that the
    derivative keeps, about four per output of a convolution, with one set of patches.
    """
    a = architecture
    pixels = a.stem_geometry.out_height * a.stem_geometry.out_width
    activations = patches = a.base * pixels
    parameters = 11_200_000 * a.base**2 // 64**2
    for stage in range(4):
        pixels = max(1, pixels // 4)
        activations += 5 * pixels * a.base * 2**stage
        patches = max(patches, 9 * pixels * a.base * 2**stage)
    images = max(config.batch_size, config.settling_batch // 4)
    return 4 * (4 * parameters + images * (4 * activations + 2 * patches))


def models_at_once(architecture: Architecture, config: TrainingConfig) -> int:
    """Say how many models advance together.

    One on a CPU, where a batch fills the cores and convolutions of one model are faster;
    elsewhere the largest power of two, 64 at most, that the memory budget allows.
    """
    if config.models_at_once is not None:
        return config.models_at_once
    if jax.default_backend() == "cpu":
        return 1
    fits = int(config.memory_gib * 2**30) // model_bytes(architecture, config)
    return 1 << (max(1, min(WIDEST, fits)).bit_length() - 1)


def subsets_per_block(n: int, at_once: int) -> int:
    """Say how many subsets of `n` images make a block of a few minutes."""
    return max(2 * at_once if at_once > 1 else 1, min(SUBSETS_PER_BLOCK, IMAGES_PER_BLOCK // n), 1)
