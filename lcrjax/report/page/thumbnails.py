"""Small pictures of a dataset's images, carried within a page."""

import io

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image

from lcrjax.report.page.rendering import data_uri

#: Longest side in pixels of a picture on a page, alone and among many on one sheet.
LONGEST, LONGEST_OF_MANY = 96, 40


def as_bytes(image: Num[np.ndarray, "h w ..."]) -> UInt8[np.ndarray, "h w ..."]:
    """Bring an image into the form that browsers show: bytes, grey (h, w) or colour (h, w, 3).

    Args:
        image: (h, w) or (h, w, c); uint8, or floats in [0, 1]. Of one or two channels the first is
            shown, of more the first three.
    """
    if image.dtype != np.uint8:
        image = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    if image.ndim == 3:
        image = image[..., :3] if image.shape[2] >= 3 else image[..., 0]
    return np.ascontiguousarray(image)


def thumbnail(image: Num[np.ndarray, "h w ..."]) -> str:
    """Write an image as a data URI: PNG, or JPEG where it must be shrunk.

    Args:
        image: As `as_bytes` takes it.
    """
    picture = Image.fromarray(as_bytes(image))
    if max(picture.size) <= LONGEST:
        return png(picture)
    picture.thumbnail((LONGEST, LONGEST))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return data_uri("image/jpeg", stream.getvalue())


def png(picture: Image.Image | UInt8[np.ndarray, "h w ..."]) -> str:
    """Write a picture as a data URI without loss."""
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return data_uri("image/png", stream.getvalue())


def sprite(images: Num[np.ndarray, "n h w ..."], across: int) -> str:
    """Write many images as one picture, row by row, as a data URI.

    Args:
        images: As `as_bytes` takes each.
        across: Images in a row.
    """
    pictures = [Image.fromarray(as_bytes(image)) for image in images]
    width, height = pictures[0].size
    scale = min(1, LONGEST_OF_MANY / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    down = -(-len(pictures) // across)
    sheet = Image.new(pictures[0].mode, (size[0] * across, size[1] * down))
    for i, picture in enumerate(pictures):
        small = picture if picture.size == size else picture.resize(size)
        sheet.paste(small, (i % across * size[0], i // across * size[1]))
    return png(sheet)
