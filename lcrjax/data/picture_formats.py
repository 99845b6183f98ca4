"""Formats of pictures, recognised by what a file begins with."""

import struct
from typing import Any

from lcrjax.data.errors import need

#: Bytes of a file's beginning that tell its format.
HEAD = 132
#: Suffixes of files that are meant to be pictures: a file so named that is none is damaged.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".webp"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".dcm", ".dicom"),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NETPBM = tuple(b"P" + kind + space for kind in (b"1", b"2", b"3", b"4", b"5", b"6", b"f")
                for space in (b" ", b"\t", b"\r", b"\n"))  # fmt: skip
# Sizes of the headers that Windows and OS/2 have given bitmaps.
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def format_of(head: bytes) -> str | None:
    """Name the format of a file that begins with `head`, or None if it is not read."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "Png"
    if head.startswith(b"\xff\xd8\xff"):
        return "Jpeg"
    if head.startswith(_TIFF) and head[8:10] != b"CR":  # Canon's raw files say so there
        return "Tiff"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "Gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith(_NETPBM):
        return "Ppm"
    if head.startswith(b"BM") and len(head) >= 18:
        return "Bmp" if struct.unpack_from("<I", head, 14)[0] in _BMP_HEADERS else None
    return "Dicom" if head[128:132] == b"DICM" else None


def open_picture(form: str, stream: Any) -> Any:
    """Open a picture with Pillow's reader for its format, which reads its header only.

    Pillow's own `open` would refuse large pictures by a limit that is one for the whole process;
    the caller checks the size.
    """
    module = need(f"PIL.{form}ImagePlugin", "Pillow", "study")
    return getattr(module, f"{form}ImageFile")(stream)
