"""Images of a dataset, drawn into figures."""

import numpy as np
from jaxtyping import Num
from matplotlib.axes import Axes

#: Width of the gap between images, in widths of an image.
_GAP = 0.12


def row_of(images: Num[np.ndarray, "n ..."]) -> Num[np.ndarray, "..."]:
    """Put images side by side into one, with white gaps.

    Args:
        images: (n, h, w), (n, h, w, 1) or (n, h, w, 3); uint8, or floats in [0, 1].

    Returns:
        One image (h, w') or (h, w', 3) of the same dtype.
    """
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    white = 255 if images.dtype == np.uint8 else 1
    height, width = images.shape[1:3]
    between = np.full((height, max(1, round(_GAP * width)), *images.shape[3:]), white, images.dtype)
    parts = [part for image in images for part in (between, image)]
    return np.concatenate(parts[1:], axis=1)


def show(ax: Axes, image: Num[np.ndarray, "..."], frame: str | None = None) -> None:
    """Draw an image in its own proportions, grey ones from black to white.

    Args:
        ax: Where to draw; its ticks go.
        image: (h, w), (h, w, 1) or (h, w, 3); uint8, or floats in [0, 1].
        frame: Colour of a frame around it.
    """
    ax.imshow(image, cmap="gray", vmin=0, vmax=255 if image.dtype == np.uint8 else 1)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(frame is not None)
    if frame is not None:
        ax.spines[:].set(color=frame, linewidth=2)
