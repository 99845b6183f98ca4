"""Pixels of more than 8 bits per channel, which Pillow would cut to 8 in colour."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lcrjax.data.errors import UnreadableError

_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE = 258, 262, 284, 339
#: The same channels in Pillow's name for the other order of their two bytes.
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def deep_pixels(image: Any, form: str, reopen: Callable[[], Any]) -> np.ndarray | None:
    """Return a picture's pixels as float32 in [0, 1], or None if they have 8 bits at most.

    Pillow reads deep grey as it is, but keeps only the upper byte of deep colours. Told that their
    bytes come in the other order, it keeps the lower one; two readings make the whole.

    Args:
        image: A picture that Pillow has opened and not loaded.
        form: Its format, see `picture_formats`.
        reopen: Opens it anew.

    Returns:
        (h, w) or (h, w, c), c with alpha where there is alpha; floats of a TIFF or PFM file as they
        are.

    Raises:
        UnreadableError: If they cannot be read without loss.
    """
    tag = image.tag_v2.get if form == "Tiff" else lambda _, default: default
    bits = max(_tuple(tag(_BITS, 8)))
    mode, rawmode = image.mode, _rawmode(image)
    if mode == "F":
        return np.asarray(image, np.float32)
    if form == "Ppm" and mode == "I":
        return _scaled(np.asarray(image), 16)
    if form == "Ppm" and mode == "RGB" and isinstance(image.tile[0][3], tuple):
        if image.tile[0][3][1] > 255:
            raise UnreadableError("more than 8 bits per channel in colour: save it as 16-bit PNG")
        return None
    if mode.startswith("I;16") and set(_tuple(tag(_SAMPLE, 1))) == {1}:
        grey = _scaled(np.asarray(image), bits if form == "Tiff" else 16)
        return 1 - grey if tag(_PHOTOMETRIC, 1) == 0 else grey  # white is zero
    if ";16" in rawmode and rawmode.startswith("LA"):
        image._mode = "RGBA"  # four bytes a pixel: upper and lower of grey, then of alpha
        high_low = np.asarray(_as(image, "RGBA")).astype(np.uint16)
        return _scaled(256 * high_low[..., ::2] + high_low[..., 1::2], 16)
    colours = mode in ("RGB", "RGBA") and not rawmode.startswith("RGBa")
    if ";16" in rawmode and colours and tag(_PLANES, 1) == 1:
        swapped = _as(reopen(), rawmode[:-1] + _SWAPPED[rawmode[-1]])
        return _scaled(256 * np.asarray(image).astype(np.uint16) + np.asarray(swapped), 16)
    if bits > 8 or mode.startswith("I") or ";16" in rawmode:
        raise UnreadableError(
            f"{bits} bits per channel of a kind that would be cut (Pillow's mode {mode}): save it "
            "as 8-bit, or as 16-bit PNG"
        )
    return None


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _rawmode(image: Any) -> str:
    """Pillow's name for how the file packs its channels."""
    arguments = image.tile[0][3] if image.tile else ""
    return str(_tuple(arguments)[0] if arguments else "")


def _as(image: Any, rawmode: str) -> Any:
    """Let an image that is not loaded be unpacked in another way."""

    def renamed(arguments: Any) -> Any:
        return (rawmode, *arguments[1:]) if isinstance(arguments, tuple) else rawmode

    image.tile = [tile._replace(args=renamed(tile[3])) for tile in image.tile]
    return image


def _scaled(whole: np.ndarray, bits: int) -> np.ndarray:
    return (whole / np.float32(2**bits - 1)).astype(np.float32)
