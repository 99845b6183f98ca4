"""Pictures: PNG and JPEG files decoded, believing nothing that they say."""

import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lcrjax.data.errors import DataError, need, reason
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options

# Pillow's modes that stand for grey or colours in bytes without loss of meaning.
_GREY, _COLOUR = ("1", "L"), ("RGB", "P", "CMYK", "YCbCr")
_WITH_ALPHA = {"LA": "L", "RGBA": "RGB", "PA": "RGB"}


class Picture(NamedTuple):
    """What errors call a picture, and its shape."""

    name: str
    shape: tuple[int, ...]


def decode_all(
    pictures: Iterable[tuple[str, Path | bytes]],
    count: int,
    what: str,
    stored: int,
    options: Options,
    first: Picture | None = None,
) -> tuple[np.ndarray, Picture]:
    """Decode PNG or JPEG files of one size and kind into one array.

    Args:
        pictures: What errors call each, and its path or content.
        count: Their number, at least one.
        what: What errors call them all.
        stored: Bytes on disk of all of them.
        options: Those of the source: `resize` and `max_bytes`.
        first: The picture that all must be like; None for the first of these.

    Returns:
        uint8, (count, h, w) if grey or (count, h, w, 3) if in colour, and the picture that all are
        like.

    Raises:
        DataError: If one is not like the first, they expand to more than the limit, or as
            `decode` does.
    """
    images = np.empty(0, np.uint8)
    for i, (name, picture) in enumerate(pictures):
        image = decode(picture, options.resize, name)
        first = first or Picture(name, image.shape)
        _check_alike(Picture(name, image.shape), first)
        if i == 0:
            check_bytes(what, count * image.nbytes, stored, options.max_bytes)
            images = np.empty((count, *image.shape), np.uint8)
        images[i] = image
    assert first is not None
    return images, first


def _check_alike(picture: Picture, first: Picture) -> None:
    shape, expected = picture.shape, first.shape
    if shape[:2] != expected[:2]:
        raise DataError(
            f"{picture.name} is {shape[1]}×{shape[0]} pixels but {first.name} is "
            f"{expected[1]}×{expected[0]}: "
            "make them one size with resize= (on the command line --resize)."
        )
    if shape != expected:
        kinds = {2: "grey", 3: "in colour"}
        raise DataError(
            f"{picture.name} is {kinds[len(shape)]} but {first.name} is {kinds[len(expected)]}: "
            "save all images as grey or all as RGB."
        )


def decode(picture: Path | bytes, size: tuple[int, int] | None, name: str) -> np.ndarray:
    """Decode a PNG or JPEG file, given its path or content, and resize it to (height, width).

    Palettes become RGB; an alpha channel is dropped where it is opaque everywhere.

    Returns:
        uint8, (h, w) if grey or (h, w, 3) if in colour.

    Raises:
        DataError: If it is no such file, is damaged, is a decompression bomb, is transparent
            somewhere, or has more than 8 bits per channel.
        ImportError: If Pillow is not installed.
    """
    pillow = need("PIL.Image", "Pillow", "study")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            stream = io.BytesIO(picture) if isinstance(picture, bytes) else picture
            with pillow.open(stream, formats=("PNG", "JPEG")) as opened:
                image = _plain(opened, name)
                if size is not None and (image.height, image.width) != size:
                    image = image.resize((size[1], size[0]), pillow.Resampling.BILINEAR)
                return np.asarray(image)
    except DataError:
        raise
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise DataError(
            f"{name} claims more pixels than Pillow's limit against decompression bombs "
            f"({pillow.MAX_IMAGE_PIXELS:,}): shrink or remove it."
        ) from error
    except Exception as error:  # on damaged files Pillow raises whatever it stumbles over
        raise DataError(
            f"{name} is no readable PNG or JPEG file ({reason(error)}): get it anew or remove it."
        ) from error


def _plain(image, name: str):  # type: ignore[no-untyped-def]
    """Return a Pillow image of mode L or RGB."""
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in _WITH_ALPHA:
        if image.getchannel("A").getextrema()[0] < 255:
            raise DataError(f"{name} is transparent in places: save it without an alpha channel.")
        return image.convert(_WITH_ALPHA[image.mode])
    if image.mode in _GREY:
        return image.convert("L")
    if image.mode in _COLOUR:
        return image.convert("RGB")
    raise DataError(
        f"{name} has pixels of Pillow's mode {image.mode}, not 8 bits per channel: "
        "save it as 8-bit grey or RGB."
    )
