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
    pillow = need("PIL.Image", "Pillow", "study")
    n, _, _, *channels = images.shape
    planes = images.reshape(*images.shape[:3], -1)
    resized = np.empty((n, height, width, planes.shape[3]), images.dtype)
    working = np.uint8 if images.dtype == np.uint8 else np.float32
    for i in range(n):
        for channel in range(planes.shape[3]):
            plane = pillow.fromarray(np.ascontiguousarray(planes[i, :, :, channel], dtype=working))
            resized[i, :, :, channel] = plane.resize((width, height), pillow.Resampling.BILINEAR)
    if images.dtype != np.uint8:
        np.clip(resized, 0, 1, out=resized)  # weights sum to one only up to rounding
    return resized.reshape(n, height, width, *channels)
