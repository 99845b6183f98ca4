"""Checks of what a caller hands in, before any long work starts."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lcrjax.numerics.pixels import check_pixels
from lcrjax.numerics.processes import check_process

LARGEST_SEED = 2**32 - 1


@runtime_checkable
class LabelledImages(Protocol):
    """What training needs of a dataset; `lcrjax.data.Dataset` has it."""

    @property
    def train_images(self) -> np.ndarray:
        """Training images, (n, h, w) or (n, h, w, c); uint8, or float in [0, 1]."""

    @property
    def train_labels(self) -> np.ndarray:
        """Classes of the training images, (n,) integers."""

    @property
    def test_images(self) -> np.ndarray:
        """Test images, of the same shape."""

    @property
    def test_labels(self) -> np.ndarray:
        """Classes of the test images."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""


class Split(NamedTuple):
    """Part of a dataset on the host: (n, h, w, c) uint8 or float32, and (n,) int32 labels."""

    pixels: np.ndarray
    labels: np.ndarray


def check_dataset(dataset: LabelledImages) -> tuple[Split, Split]:
    """Return training and test images in the form in which models see them.

    Raises:
        ValueError: If images or labels are out of range, or the splits do not fit together.
        RuntimeError: If nothing is computed in this process; see `check_process`.
    """
    check_process()
    n_classes = int(dataset.n_classes)
    if n_classes < 2:
        raise ValueError(f"at least two classes are needed, not {n_classes}")
    train = _check_split(dataset.train_images, dataset.train_labels, n_classes, "training")
    test = _check_split(dataset.test_images, dataset.test_labels, n_classes, "test")
    if train.pixels.shape[1:] != test.pixels.shape[1:]:
        raise ValueError(
            f"training images have the shape {train.pixels.shape[1:]}, "
            f"test images {test.pixels.shape[1:]}"
        )
    return train, test


def _check_split(images: Any, labels: Any, n_classes: int, name: str) -> Split:
    images, labels = np.asarray(images), np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{name} labels must be a vector of integers")
    if images.ndim not in (3, 4):
        raise ValueError(
            f"{name} images must have the shape (n, h, w) or (n, h, w, c), not {images.shape}"
        )
    if len(images) != len(labels):
        raise ValueError(f"there are {len(images)} {name} images but {len(labels)} labels")
    if len(images) == 0:
        raise ValueError(f"there are no {name} images")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(
            f"{name} labels must lie between 0 and {n_classes - 1}; "
            f"found {labels.min()} to {labels.max()}"
        )
    if images.dtype != np.uint8:
        images = images.astype(np.float32)
        check_pixels(images, f"{name} images")
    return Split(images if images.ndim == 4 else images[..., None], labels.astype(np.int32))


def check_subsets(
    subsets: np.ndarray | Sequence[Any], labels: np.ndarray, n_classes: int
) -> list[np.ndarray]:
    """Return subsets as a list of int32 index vectors.

    Raises:
        ValueError: If an index is out of bounds or repeated, or a subset is too small.
    """
    checked = []
    for position, subset in enumerate(subsets):
        indices = np.asarray(subset)
        where = f"subset {position}"
        if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
            raise ValueError(f"{where} must be a vector of integer indices")
        if len(indices) < n_classes:
            raise ValueError(
                f"{where} has {len(indices)} images, fewer than the {n_classes} classes"
            )
        if indices.min() < 0 or indices.max() >= len(labels):
            raise ValueError(
                f"{where} has indices from {indices.min()} to {indices.max()}, "
                f"but there are {len(labels)} training images"
            )
        if len(np.unique(indices)) < len(indices):
            raise ValueError(f"{where} holds an image more than once")
        if len(np.unique(labels[indices])) < 2:
            raise ValueError(f"{where} holds one class only; at least two are needed")
        checked.append(indices.astype(np.int32))
    return checked


def check_seeds(seeds: Sequence[int] | np.ndarray, count: int) -> list[int]:
    """Return one seed per subset.

    Raises:
        ValueError: If there are not as many seeds as subsets, or one is out of range.
    """
    values = np.asarray(seeds)
    if values.shape != (count,) or (count and not np.issubdtype(values.dtype, np.integer)):
        raise ValueError(f"seeds must be {count} integers, one per subset, not {values.shape}")
    if count and (values.min() < 0 or values.max() > LARGEST_SEED):
        raise ValueError(f"seeds must lie between 0 and {LARGEST_SEED}")
    return [int(seed) for seed in values]
