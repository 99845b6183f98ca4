"""Datasets from arrays, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.resize import Size, resize_images
from lcrjax.data.split import TEST_FRACTION, stratified_split
from lcrjax.data.validate import check_classes, check_images, check_labels


def from_arrays(
    name: str,
    train_images: Any,
    train_labels: Any,
    test_images: Any = None,
    test_labels: Any = None,
    *,
    class_names: Sequence[str] | None = None,
    source: str = "",
    licence: str = "",
    resize: Size | None = None,
    test_fraction: float = TEST_FRACTION,
    seed: int = 0,
) -> Dataset:
    """Build a dataset from arrays, or say in one sentence why they are none.

    Args:
        name: Short name, as it stands in tables.
        train_images: (n, h, w) or (n, h, w, c); uint8, other whole numbers in 0..255, or
            floats in [0, 1].
        train_labels: (n,) or (n, 1) whole numbers from 0; every class must occur.
        test_images: As `train_images`; None holds out `test_fraction` of each class.
        test_labels: As `train_labels`; given exactly where `test_images` are.
        class_names: One name per class; None names them by their numbers.
        source: Where the data came from, one sentence.
        licence: Licence of the images.
        resize: New (height, width) in pixels, or one number for both.
        test_fraction: Part of each class that is held out where there are no test images.
        seed: Seed of that choice.

    Returns:
        The dataset. Images are copied only where their type must change, a split is made, or they
        are resized.

    Raises:
        DataError: A ValueError, if anything is wrong with the arrays.
    """
    if (test_images is None) != (test_labels is None):
        raise DataError(
            "of test images and test labels one is missing: give them together, or neither."
        )
    train_images = check_images(train_images, "training")
    train_labels = check_labels(train_labels, len(train_images), "training")
    if test_images is None:
        class_names = check_classes(train_labels, train_labels[:0], class_names)
        train, test = stratified_split(train_labels, test_fraction, seed)
        test_images, test_labels = train_images[test], train_labels[test]
        train_images, train_labels = train_images[train], train_labels[train]
    else:
        test_images = check_images(test_images, "test")
        test_labels = check_labels(test_labels, len(test_images), "test")
        class_names = check_classes(train_labels, test_labels, class_names)
        train_images, test_images = _alike(train_images, test_images, resize is not None)
    if resize is not None:
        train_images = resize_images(train_images, resize)
        test_images = resize_images(test_images, resize)
    return Dataset(
        name=name,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        class_names=class_names,
        source=source,
        licence=licence,
    )


def _alike(train: np.ndarray, test: np.ndarray, resized: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return both splits in one dtype, or refuse splits that cannot be compared."""
    if train.shape[3:] != test.shape[3:] or not (resized or train.shape[1:] == test.shape[1:]):
        raise DataError(
            f"training images have the shape {train.shape[1:]} but test images "
            f"{test.shape[1:]}: make them the same (resize= or --resize changes height and width)."
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        raise DataError(
            f"training images are {train.dtype} but test images {test.dtype}: "
            "store both as uint8 or both as floats in [0, 1]."
        )
    dtype = np.result_type(train, test)
    return train.astype(dtype, copy=False), test.astype(dtype, copy=False)
