"""Colours of images: grey or RGB, and what transparency lets through."""

from typing import Any

import numpy as np

from lcrjax.data.errors import DataError

#: Words for what images can be brought to.
MODES = ("grey", "rgb")
# Weights of red, green and blue in luma (ITU-R BT.601), in units of 2**-16.
_LUMA = (19595, 38470, 7471)


def check_mode(mode: Any) -> str | None:
    """Return a word of `MODES`, or None as it is.

    Raises:
        DataError: If it is neither.
    """
    if mode is not None and mode not in MODES:
        raise DataError(f"mode is {mode!r}: give {' or '.join(MODES)}.")
    return mode


def to_mode(images: np.ndarray, mode: str | None, *, axes: int = 3) -> np.ndarray:
    """Bring images to grey or RGB.

    Grey is luma, 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), of bytes rounded as Pillow
    does; RGB of grey is the same value three times.

    Args:
        images: (n, h, w), (n, h, w, 1) or (n, h, w, 3), uint8 or floats.
        mode: "grey", "rgb", or None for no change.
        axes: Number of axes without that of channels: 2 where it is one image.

    Returns:
        (n, h, w) if grey and (n, h, w, 3) if RGB, of the same dtype.

    Raises:
        DataError: If there are neither one nor three channels.
    """
    if mode is None:
        return images
    if images.ndim == axes:
        return images if mode == "grey" else np.repeat(images[..., None], 3, axis=-1)
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise DataError(f"the images have {channels} channels: mode={mode!r} needs 1 or 3.")
    if channels == 1:
        return to_mode(images[..., 0], mode, axes=axes)
    if mode == "rgb":
        return images
    if images.dtype == np.uint8:
        weighed = images @ np.array(_LUMA, np.uint32) + np.uint32(2**15)
        return np.asarray(weighed >> np.uint32(16), np.uint8)
    weights = np.array(_LUMA, images.dtype) / images.dtype.type(2**16)
    return np.clip(images @ weights, 0, 1)  # weights sum to one only up to rounding


def on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay a picture that is transparent in places on white.

    Args:
        pixels: (..., c) uint8, or floats in [0, 1].
        alpha: (...) of the same dtype; 0 is transparent.

    Returns:
        Pixels of the same shape and dtype, rounded where they are uint8.
    """
    if pixels.dtype == np.uint8:
        a = alpha[..., None].astype(np.uint32)
        return ((pixels * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)
    return pixels * alpha[..., None] + (1 - alpha[..., None])
