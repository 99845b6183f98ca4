"""Images of another height and width."""

from typing import Any

import numpy as np

from lcrjax.data.errors import DataError, need

Size = int | tuple[int, int]


def as_size(size: Any) -> tuple[int, int]:
    """Return (height, width) in pixels from one number or a pair.

    Raises:
        DataError: If they are not whole numbers from 1 to 65,535.
    """
    pair = (size, size) if hasattr(size, "__index__") else size
    try:
        height, width = (side.__index__() for side in pair)
    except (AttributeError, TypeError, ValueError):
        raise DataError(
            f"resize is {size!r}: give a whole number of pixels or a pair (height, width)."
        ) from None
    if not (0 < height < 2**16 and 0 < width < 2**16):
        raise DataError(f"resize is {size!r}: give 1 to 65535 pixels.")
    return height, width


def resize_images(images: np.ndarray, size: Size) -> np.ndarray:
    """Resample images to `size`, the aspect ratio notwithstanding.

    Bilinear, with the window widened when shrinking so that no pixel is skipped (Pillow's).

    Args:
        images: (n, h, w) or (n, h, w, c); uint8 or floats in [0, 1].
        size: New (height, width) in pixels, or one number for both.

    Returns:
        (n, height, width) or (n, height, width, c) of the same dtype.

    Raises:
        DataError: If `size` is none.
        ImportError: If Pillow is not installed.
    """
    height, width = as_size(size)
    if images.shape[1:3] == (height, width):
        return images
    resized = np.empty((len(images), height, width, *images.shape[3:]), images.dtype)
    for i, image in enumerate(images):
        resized[i] = resize_image(image, (height, width))
    return resized


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resample one image, (h, w) or (h, w, c), to a checked (height, width); see above."""
    if image.shape[:2] == size:
        return image
    pillow = need("PIL.Image", "Pillow", "study")
    height, width = size
    whole = image.dtype == np.uint8
    working = np.ascontiguousarray(image, np.uint8 if whole else np.float32)

    def resample(plane: np.ndarray) -> np.ndarray:
        resized = pillow.fromarray(plane).resize((width, height), pillow.Resampling.BILINEAR)
        return np.asarray(resized)

    if working.ndim == 2 or (whole and working.shape[2] == 3):
        resized = resample(working)
    else:
        planes = np.moveaxis(working, 2, 0)
        resized = np.stack([resample(np.ascontiguousarray(plane)) for plane in planes], axis=2)
    # Weights sum to one only up to rounding.
    return resized if whole else np.clip(resized, 0, 1).astype(image.dtype, copy=False)
