"""One picture decoded, believing nothing that its file says."""

import contextlib
import io
import math
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lcrjax.data.colours import on_white, to_mode
from lcrjax.data.deep_pixels import deep_pixels
from lcrjax.data.dicom import decode_dicom
from lcrjax.data.errors import DataError, UnreadableError, reason
from lcrjax.data.limits import DEFLATE_RATIO
from lcrjax.data.options import Options
from lcrjax.data.picture_formats import HEAD, SUFFIXES, format_of, open_picture
from lcrjax.data.resize import resize_image

#: What may be remarked of a picture, and how a note says it of some.
REMARKS = {
    "frames": "have several frames, of which the first was read",
    "transparent": "are transparent in places and were laid on white",
    "turned": "were turned as their EXIF orientation says",
    "window": "are DICOM and were read through the window that they state",
    "range": "are DICOM and state no window: their full range of values was read",
}
_ORIENTATION = 0x0112
_TURNED: dict[int, Any] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.swapaxes(pixels, 0, 1), 2),
    8: np.rot90,
}
_SUBFILE, _DNG_VERSION = 254, 50706
# Pictures of more pixels are decoded one at a time, so that threads do not multiply their memory.
_LARGE = 2**24
_one_at_a_time = threading.Lock()


class Decoded(NamedTuple):
    """Pixels, uint8 or float32 in [0, 1], (h, w) or (h, w, 3), and keys of `REMARKS`."""

    pixels: np.ndarray
    remarks: tuple[str, ...]


def decode(picture: str | Path | bytes, options: Options) -> Decoded | None:
    """Decode a picture, given its path or content, and resize it.

    Transparent places are laid on white, and EXIF orientation is applied. Colour profiles and
    gamma are not. More than 8 bits per channel become float32.

    Returns:
        The picture, or None if the file is none and is not named as one.

    Raises:
        UnreadableError: If it is damaged, has more pixels than `options.max_pixels`, or is of a
            kind that cannot be read without loss.
        ImportError: If Pillow, or pydicom for DICOM, is not installed.
    """
    try:
        with io.BytesIO(picture) if isinstance(picture, bytes) else open(picture, "rb") as stream:
            head = stream.read(HEAD)
            form = format_of(head)
            if form is None:
                named = isinstance(picture, bytes) or str(picture).lower().endswith(SUFFIXES)
                if named:
                    raise UnreadableError("no format of pictures that is read")
                return None
            stored = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            if form == "Dicom":
                pixels, remarks = decode_dicom(stream, options.max_pixels)
            else:
                pixels, remarks = _decode(stream, form, stored, options)
    except (UnreadableError, ImportError):
        raise
    except MemoryError as error:
        raise UnreadableError("more than fits into memory") from error
    except Exception as error:  # on damaged files readers raise whatever they stumble over
        raise UnreadableError(reason(error)) from error
    try:
        pixels = to_mode(pixels, options.mode, axes=2)
    except DataError as error:
        raise UnreadableError(str(error)) from error
    return Decoded(
        pixels if options.resize is None else resize_image(pixels, options.resize), remarks
    )


def _decode(
    stream: Any, form: str, stored: int, options: Options
) -> tuple[np.ndarray, tuple[str, ...]]:
    def reopen() -> Any:
        stream.seek(0)
        return open_picture(form, stream)

    image = reopen()
    _check_size(image, form, stored, options.max_pixels)
    if form == "Jpeg" and options.resize is not None:
        # Decoded at a half, a quarter or an eighth, but not below twice the size that is wanted.
        image.draft(None, (2 * max(options.resize),) * 2)
    with _one_at_a_time if math.prod(image.size) > _LARGE else contextlib.nullcontext():
        several = bool(getattr(image, "is_animated", False))
        pixels = deep_pixels(image, form, reopen)
        if pixels is None:
            pixels, see_through = _plain(image)
        else:
            pixels, see_through = _of_deep(pixels, image.info.get("transparency"))
        turn = _TURNED.get(_orientation(image))
    remarks = {"frames": several, "transparent": see_through, "turned": turn is not None}
    pixels = pixels if turn is None else turn(pixels)
    return pixels, tuple(name for name, found in remarks.items() if found)


def _orientation(image: Any) -> int:
    """The EXIF orientation of a loaded picture."""
    if not image.info and not hasattr(image, "tag_v2"):
        return 1  # which saves small files a tenth of their time
    return image.getexif().get(_ORIENTATION, 1)


def _check_size(image: Any, form: str, stored: int, max_pixels: int) -> None:
    if form == "Tiff" and (image.tag_v2.get(_SUBFILE, 0) & 1 or _DNG_VERSION in image.tag_v2):
        raise UnreadableError(
            "a camera's raw file, of which only a thumbnail could be read: convert it"
        )
    if math.prod(image.size) > max_pixels:
        raise UnreadableError(
            f"{image.width:,}×{image.height:,} pixels, more than the limit of {max_pixels:,}: "
            "raise it with max_pixels= (--max-pixels) if you trust the file, with resize="
        )
    # No mode packs more than 8 pixels into a byte, and these compress no better than deflate.
    if form in ("Png", "Bmp", "Ppm", "Gif") and math.prod(image.size) > 8 * DEFLATE_RATIO * stored:
        raise UnreadableError(
            f"{image.width:,}×{image.height:,} pixels claimed, more than it can hold"
        )


def _plain(image: Any) -> tuple[np.ndarray, bool]:
    """Pixels of at most 8 bits per channel, and whether some are transparent."""
    mode, key = image.mode, image.info.get("transparency")
    if mode == "P":
        return _of_palette(image, key)
    if mode in ("L", "1", "RGB"):
        depth = _rawmode_bits(image)
        pixels = np.asarray(image.convert("L") if mode == "1" else image)
        if key is None:
            return pixels, False
        # A key of 1, 2 or 4 bits is in the file's units; Pillow spreads pixels over 0..255.
        scale = 255 // (2**depth - 1) if mode == "L" else 1
        hidden = pixels == np.asarray(key) * scale
        return _hide(pixels, hidden if mode != "RGB" else hidden.all(axis=2))
    if mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        flat = {"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
        pixels = np.asarray(image.convert(flat[mode]) if mode in flat else image)
        colours, alpha = pixels[..., :-1], pixels[..., -1]
        see_through = bool(alpha.min() < 255)
        colours = on_white(colours, alpha) if see_through else colours
        return colours[..., 0] if colours.shape[2] == 1 else colours, see_through
    if mode in ("CMYK", "YCbCr", "RGBX"):
        return np.asarray(image.convert("RGB")), False
    raise UnreadableError(f"pixels of Pillow's mode {mode}: save it as grey or RGB")


def _rawmode_bits(image: Any) -> int:
    raw = str(image.tile[0][3]) if image.tile else ""
    return int(raw[2]) if raw in ("L;2", "L;4") else 8


def _of_palette(image: Any, key: Any) -> tuple[np.ndarray, bool]:
    """Pixels of a palette: grey where all its colours are grey."""
    places = np.asarray(image)
    table = np.zeros((256, 3), np.uint8)
    held = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)[:256]
    table[: len(held)] = held
    alpha = np.full(256, 255, np.uint8)
    if isinstance(key, bytes):
        alpha[: len(key)] = np.frombuffer(key[:256], np.uint8)
    elif key is not None:
        alpha[key] = 0
    see_through = bool(alpha[places].min() < 255)
    grey = (held == held[:, :1]).all()
    table = on_white(table, alpha)
    return (table[:, 0] if grey else table)[places], see_through


def _of_deep(pixels: np.ndarray, key: Any) -> tuple[np.ndarray, bool]:
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise UnreadableError("floats that are not in [0, 1]: scale them")
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        see_through = bool(pixels[..., -1].min() < 1)
        pixels = on_white(pixels[..., :-1], pixels[..., -1]) if see_through else pixels[..., :-1]
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels, see_through
    if key is None:
        return pixels, False
    hidden = np.rint(pixels * 65535) == np.asarray(key)
    return _hide(pixels, hidden if pixels.ndim == 2 else hidden.all(axis=2))


def _hide(pixels: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, bool]:
    if not hidden.any():
        return pixels, False
    shown = pixels.copy()
    shown[hidden] = 255 if pixels.dtype == np.uint8 else 1
    return shown, True
