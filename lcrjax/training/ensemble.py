"""Many models, each on its own subset of a dataset, trained to a criterion."""

import functools
import time
from collections.abc import Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from lcrjax.training.config import TrainingConfig
from lcrjax.training.epochs import Images, advance, predict
from lcrjax.training.metrics import score
from lcrjax.training.model_state import ModelState, initial_state
from lcrjax.training.progress import Progress, ProgressCallback
from lcrjax.training.resnet import Architecture
from lcrjax.training.validate import check_images, check_labels, check_seeds, check_subsets

COLUMNS = (
    "acc",
    "bacc",
    "auc",
    "auc_micro",
    "epochs",
    "train_accuracy",
    "converged",
    "failure",
    "seconds",
)
SMALLEST_CAPACITY = 2048
IMAGES_PER_CALL = 2048


class LabelledImages(Protocol):
    """What training needs of a dataset; `lcrjax.data.Dataset` has it."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...


def train_subsets(
    dataset: LabelledImages,
    subsets: np.ndarray | Sequence[Any],
    seeds: Sequence[int] | np.ndarray,
    config: TrainingConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Train one ResNet-18 on each subset and score it on the common test set.

    The same arguments give the same bits on the same machine. What a model learns depends on
    its subset and its seed alone, not on its neighbours.

    Args:
        dataset: Training and test images with labels.
        subsets: (k, n) indices into the training images, or a list of index vectors.
        seeds: One seed per subset, 0 to 2**32 - 1.
        config: The recipe; None is `TrainingConfig()`.
        progress: Called after every chunk of work.

    Returns:
        One row per subset, in order: acc, bacc, auc (one class against the rest, mean over
        classes), auc_micro, epochs, train_accuracy (inference mode, whole subset), converged,
        failure (a sentence, or None), seconds.

    Raises:
        ValueError: If images, labels, subsets or seeds are out of range.
    """
    config = config or TrainingConfig()
    n_classes = int(dataset.n_classes)
    train_labels = check_labels(dataset.train_labels, n_classes, "training")
    test_labels = check_labels(dataset.test_labels, n_classes, "test")
    train_images = check_images(dataset.train_images, train_labels, "training")
    test_images = check_images(dataset.test_images, test_labels, "test")
    if train_images.shape[1:] != test_images.shape[1:]:
        raise ValueError(
            f"training images have the shape {train_images.shape[1:]}, "
            f"test images {test_images.shape[1:]}"
        )
    indices = check_subsets(subsets, train_labels, n_classes)
    keys = check_seeds(seeds, len(indices))
    height, width, channels = train_images.shape[1:]
    programs = _Programs(
        Architecture(
            height,
            width,
            channels,
            n_classes,
            config.base_channels,
            direct=jax.default_backend() == "cpu",
        ),
        config,
    )
    train = Images(jnp.asarray(train_images), jnp.asarray(train_labels))
    test = Images(jnp.asarray(test_images), jnp.asarray(test_labels))

    began = time.perf_counter()
    images = 0
    rows: list[dict[str, Any]] = []
    for subset, seed in zip(indices, keys, strict=True):
        started = time.perf_counter()
        n = len(subset)
        padded = jnp.asarray(np.pad(subset, (0, _capacity(n) - n)))
        state = programs.start(jax.random.key(seed))
        while True:
            before = int(state.epoch)
            epochs = max(1, IMAGES_PER_CALL // n)
            state = programs.advance(state, train, padded, jnp.int32(n), jnp.int32(epochs))
            images += n * (int(state.epoch) - before)
            over = bool(state.done | state.failed) or int(state.epoch) >= config.max_epochs
            if over:
                rows.append(_row(state, programs.evaluate(state, test), started))
            if progress is not None:
                progress(
                    Progress(
                        finished=len(rows),
                        total=len(indices),
                        active=0 if len(rows) == len(indices) else 1,
                        epoch=int(state.epoch),
                        images=images,
                        seconds=time.perf_counter() - began,
                    )
                )
            if over:
                break
    return pd.DataFrame(rows, columns=list(COLUMNS))


def block_size(dataset: LabelledImages, n: int, config: TrainingConfig) -> int:
    """Say how many subsets of `n` images one call of `train_subsets` should be given.

    Depends on its arguments alone, never on the machine's momentary load.

    Args:
        dataset: The dataset the subsets are of.
        n: Images per subset.
        config: The recipe.

    Returns:
        A number from 1 to 64.
    """
    return max(1, min(16, 4096 // max(n, 1)))


class _Programs:
    """The compiled programs of one dataset's shape and one recipe."""

    def __init__(self, architecture: Architecture, config: TrainingConfig):
        self.start, self.advance, self.evaluate = _compile(architecture, config)


@functools.lru_cache(maxsize=8)
def _compile(architecture: Architecture, config: TrainingConfig):  # type: ignore[no-untyped-def]
    start = jax.jit(functools.partial(initial_state, architecture=architecture, config=config))
    forward = jax.jit(
        functools.partial(advance, architecture=architecture, config=config), donate_argnums=0
    )

    def evaluate(state: ModelState, test: Images):  # type: ignore[no-untyped-def]
        return score(predict(state, test, architecture, config), test.labels)

    return start, forward, jax.jit(evaluate)


def _capacity(n: int) -> int:
    """Room for the indices of a subset: few values, so that few programs are compiled."""
    return max(SMALLEST_CAPACITY, 1 << (n - 1).bit_length())


def _row(state: ModelState, scores: Any, started: float) -> dict[str, Any]:
    failed = bool(state.failed)
    measured = {name: float(value) for name, value in scores._asdict().items()}
    epochs = int(state.epoch)
    return {
        **({name: float("nan") for name in measured} if failed else measured),
        "epochs": epochs,
        "train_accuracy": float(state.accuracy),
        "converged": bool(state.done),
        "failure": f"the loss became NaN or infinite in epoch {epochs}" if failed else None,
        "seconds": time.perf_counter() - started,
    }
