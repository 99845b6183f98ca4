"""Checks of elements, shared by every source of data."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError
from lcrjax.numerics.inputs import array as taken
from lcrjax.numerics.pixels import check_pixels
from lcrjax.numerics.streams import Stream

_BLOCK_BYTES = 2**24
#: Names of elements, or None for their places.
Names = Sequence[Any] | np.ndarray | None


def check_elements(elements: Any, split: str, names: Names = None) -> tuple[str, Any]:
    """Say what kind elements are of, and return them in the form in which a `Split` has them.

    Args:
        elements: A pandas table is rows, strings are texts, (n, d) numbers are vectors, and
            (n, h, w) or (n, h, w, c) images.
        split: "training" or "test", for the error's text.
        names: Those of the elements, likewise.

    Returns:
        A key of `lcrjax.data.dataset.KINDS`, and the elements.

    Raises:
        DataError: If they are of no such kind, or have values that they must not have.
    """
    if isinstance(elements, Stream):
        return "vectors", check_stream(elements, split, names)
    if hasattr(elements, "iloc") and getattr(elements, "ndim", 0) == 2:
        if not len(elements):
            raise DataError(f"the {split} rows are empty: give some.")
        return "rows", elements
    try:
        array = np.asarray(taken(f"the {split} elements", elements))
    except ValueError as error:
        raise DataError(f"{error}.") from error
    if names is not None and array.ndim and len(names) != len(array):
        names = None  # refused later, where all columns are
    if array.ndim == 1 and array.dtype.kind in "UO" and all(isinstance(x, str) for x in array):
        if not len(array):
            raise DataError(f"the {split} texts are empty: give some.")
        return "texts", array
    if array.ndim == 2 and array.dtype.kind in "buif":
        return "vectors", check_vectors(array, split, names)
    return "images", check_images(array, split, names)


def check_vectors(vectors: np.ndarray, split: str, names: Names = None) -> np.ndarray:
    """Return vectors as floats; float32 and float64 are not copied.

    Raises:
        DataError: If there are none, or a component is NaN or infinite.
    """
    if vectors.size == 0:
        raise DataError(f"the {split} vectors are empty: their shape is {vectors.shape}.")
    step = max(1, _BLOCK_BYTES // max(1, vectors[0].nbytes))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step]
        if vectors.dtype.kind == "f" and not np.isfinite(block).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
            name = start + row if names is None else names[start + row]
            raise DataError(
                f"the {split} vectors hold NaN or infinity, the first ({block[row, column]}) in "
                f"vector {name}, component {column}: remove or replace them."
            )
    wide = vectors.dtype.itemsize > (4 if vectors.dtype.kind == "f" else 2)
    return vectors.astype(np.float64 if wide else np.float32, copy=False)


def check_stream(vectors: Stream, split: str, names: Names = None) -> Stream:
    """Return vectors that are read in blocks, after one pass over them.

    Raises:
        DataError: As `check_vectors`, or if they are no vectors or blocks do not fit together.
    """
    try:
        if vectors.ndim != 2:
            raise DataError(
                f"the {split} elements are a Stream of shape {vectors.shape}, and only vectors "
                "(n, d) are checked in blocks: call Dataset(name, Split(stream, labels), None, "
                "class_names) instead."
            )
        at = 0
        for block in vectors.blocks(vectors.rows_at_once):
            its: Names = range(at, at + len(block))
            if names is not None and len(names) == len(vectors):
                its = names[at : at + len(block)]
            check_vectors(block, split, its)
            at += len(block)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{error}.") from error
    return vectors


def check_images(images: Any, split: str, names: Names = None) -> np.ndarray:
    """Return images as uint8 or floats in [0, 1], copied only where the type must change.

    Whole numbers in 0..255 become uint8, booleans become 0 and 255, float16 becomes float32.

    Args:
        images: (n, h, w) or (n, h, w, c).
        split: "training" or "test", for the error's text.
        names: Those of the images, likewise.

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
        check_pixels(images, f"{split} images", names=names)
    except ValueError as error:
        raise DataError(f"{error}.") from None
    width = np.float32 if images.dtype.itemsize <= 4 else np.float64
    return images.astype(width, copy=False)
