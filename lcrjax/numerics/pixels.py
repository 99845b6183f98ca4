"""Pixels: floats that lie in [0, 1]."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from lcrjax.numerics.inputs import array


def check_pixels(
    images: Any,
    what: str = "images",
    block_bytes: int = 2**24,
    names: Sequence[Any] | np.ndarray | None = None,
) -> None:
    """Refuse floats that cannot be pixels; other dtypes and traced images pass.

    Args:
        images: (n, ...).
        what: Their name in the error's text.
        block_bytes: So many of them are looked at at once, about.
        names: Those of the images; None for their places.

    Raises:
        ValueError: If a pixel is NaN or infinite (the first is located) or leaves [0, 1].
    """
    if isinstance(images, jax.core.Tracer):
        return
    images, low, high = array(what, images), np.inf, -np.inf
    if images.dtype.kind != "f":  # which may lie on a device, and stay there
        return
    images = np.asarray(images)
    step = max(1, block_bytes // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        block = images[start : start + step]
        smallest, largest = float(block.min()), float(block.max())
        if not (np.isfinite(smallest) and np.isfinite(largest)):
            image, *pixel = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
            value = block[(image, *pixel)]
            name = start + image if names is None else names[start + image]
            raise ValueError(
                f"the {what} hold NaN or infinite pixels, the first ({value}) in image "
                f"{name} at {tuple(pixel)}: remove or replace them"
            )
        low, high = min(low, smallest), max(high, largest)
    if low < 0 or high > 1:
        raise ValueError(
            f"the float pixels of the {what} range from {low:.9g} to {high:.9g} but must "
            "lie in [0, 1]: divide by their largest possible value (255 for bytes), clip, "
            "or store them as uint8"
        )
