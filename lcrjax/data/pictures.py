"""Pictures: PNG and JPEG files decoded, believing nothing that they say."""

import io
import warnings
from pathlib import Path

import numpy as np

from lcrjax.data.errors import DataError, need, reason

# Pillow's modes that stand for grey or colours in bytes without loss of meaning.
_GREY, _COLOUR = ("1", "L"), ("RGB", "P", "CMYK", "YCbCr")
_WITH_ALPHA = {"LA": "L", "RGBA": "RGB", "PA": "RGB"}


def decode(
    picture: Path | bytes, size: tuple[int, int] | None = None, name: str = ""
) -> np.ndarray:
    """Decode a PNG or JPEG file into bytes.

    Palettes become RGB; an alpha channel is dropped where it is opaque everywhere.

    Args:
        picture: The file's path, or its content.
        size: New (height, width) in pixels; None keeps the file's.
        name: What to call the picture in an error; by default its path.

    Returns:
        uint8, (h, w) if grey or (h, w, 3) if in colour.

    Raises:
        DataError: A ValueError, if it is no such file, is damaged, is a decompression bomb, is
            transparent somewhere, or has more than 8 bits per channel.
        ImportError: If Pillow is not installed.
    """
    pillow = need("PIL.Image", "Pillow", "study")
    name = name or str(picture)
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
