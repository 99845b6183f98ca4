"""Checks of images, labels and classes, shared by every source of data."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError
from lcrjax.numerics.pixels import check_pixels


def check_images(images: Any, split: str) -> np.ndarray:
    """Return images as uint8 or floats in [0, 1], copied only where the type must change.

    Whole numbers in 0..255 become uint8, booleans become 0 and 255, float16 becomes float32.

    Args:
        images: (n, h, w) or (n, h, w, c).
        split: "training" or "test", for the error's text.

    Raises:
        DataError: If they are not images, or a pixel is out of range, NaN or infinite.
    """
    images = np.asarray(images)
    if images.dtype.kind not in "buif":
        raise DataError(
            f"the {split} images hold values of type {images.dtype}: "
            "store them as uint8 or as floats in [0, 1]."
        )
    if images.ndim not in (3, 4):
        raise DataError(
            f"the {split} images have the shape {images.shape}: "
            "it must be (images, height, width) or (images, height, width, channels)."
        )
    if images.size == 0:
        raise DataError(f"the {split} images are empty: their shape is {images.shape}.")
    if images.ndim == 4 and images.shape[1] in (1, 3, 4) and images.shape[3] not in (1, 3, 4):
        raise DataError(
            f"the {split} images have the shape {images.shape}, with the channels first: "
            "move them last: numpy.moveaxis(images, 1, -1)."
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "b":
        return images * np.uint8(255)
    if images.dtype.kind in "ui":
        low, high = images.min(), images.max()
        if low < 0 or high > 255:
            raise DataError(
                f"the whole-number pixels of the {split} images range from {low} to {high}: "
                "scale them to 0..255 (uint8) or to floats in [0, 1]."
            )
        return images.astype(np.uint8)
    try:
        check_pixels(images, f"{split} images")
    except ValueError as error:
        raise DataError(f"{error}.") from None
    width = np.float32 if images.dtype.itemsize <= 4 else np.float64
    return images.astype(width, copy=False)


def check_labels(labels: Any, n_images: int, split: str) -> np.ndarray:
    """Return labels as a vector of int64.

    Args:
        labels: (n,) or, as MedMNIST has it, (n, 1) whole numbers of at least 0.
        n_images: Number of images that they must match.
        split: "training" or "test", for the error's text.

    Raises:
        DataError: If they are not one such number per image.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "bui":
        kind = {"f": "floats", "U": "strings", "S": "strings"}.get(labels.dtype.kind, "objects")
        raise DataError(
            f"the {split} labels are {kind} ({labels.dtype}): number the classes from 0 and store "
            "the labels as integers."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise DataError(
            f"the {split} labels have the shape {labels.shape}, several per image: "
            "give one class per image (multi-label data are not supported)."
        )
    if labels.ndim not in (1, 2):
        raise DataError(f"the {split} labels have the shape {labels.shape}: it must be (images,).")
    if len(labels) != n_images:
        raise DataError(
            f"there are {n_images} {split} images but {len(labels)} labels: give one per image."
        )
    labels = labels.reshape(-1)
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0:
        where = int(np.argmin(labels))
        raise DataError(
            f"the {split} labels hold the negative number {low} (image {where}): "
            "number the classes from 0."
        )
    if high > np.iinfo(np.int64).max:
        raise DataError(f"the {split} labels hold {high}: number the classes from 0.")
    return labels.astype(np.int64)


def check_classes(
    train_labels: np.ndarray, test_labels: np.ndarray, class_names: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the classes' names, the numbers themselves where no names are given.

    Args:
        train_labels: (n,) whole numbers of at least 0.
        test_labels: The same for the test set; may be empty before a split is made.
        class_names: One name per class, or None.

    Raises:
        DataError: If there are fewer than two classes, a class has no training image, or a label
            has no name.
    """
    highest = max((int(x.max()) for x in (train_labels, test_labels) if x.size), default=-1)
    n_classes = highest + 1 if class_names is None else len(class_names)
    if highest >= n_classes:
        raise DataError(f"a label is {highest}, but only {n_classes} classes have names: name all.")
    if n_classes > len(train_labels) and class_names is None:
        raise DataError(
            f"a label is {highest}, but {len(train_labels)} training images cannot have that "
            "many classes: number the classes from 0 without gaps."
        )
    counts = np.bincount(train_labels, minlength=n_classes)
    names = tuple(map(str, range(n_classes))) if class_names is None else tuple(class_names)
    if np.count_nonzero(counts) < 2:
        raise DataError("the training images are all of one class: at least two are needed.")
    if not counts.all():
        label = int(np.flatnonzero(counts == 0)[0])
        name = f"class {label}" + (f" ({names[label]})" if class_names else "")
        also = ", though it occurs in the test set" if (test_labels == label).any() else ""
        raise DataError(
            f"{name} has no training image{also}: "
            "add images of it, or number the remaining classes from 0 without gaps."
        )
    return names
