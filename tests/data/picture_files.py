"""Files of pictures, written byte by byte, so that no decoder's author wrote them too."""

import struct
import zlib

import numpy as np


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(pixels, bits=8, *, chunks=()):
    """A PNG of whole numbers, (h, w) or (h, w, c), of 1 to 16 bits each; no filter."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    if any(kind == b"PLTE" for kind, _ in chunks):
        colour = 3
    rows = pixels.reshape(height, -1)
    if bits < 8:
        planes = (rows[..., None] >> np.arange(bits)[::-1]) & 1
        packed = [np.packbits(row.ravel()).tobytes() for row in planes.astype(np.uint8)]
    else:
        packed = [row.astype(f">u{bits // 8}").tobytes() for row in rows]
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in packed))
    parts = [png_chunk(b"IHDR", head), *(png_chunk(*chunk) for chunk in chunks)]
    parts += [png_chunk(b"IDAT", body), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_of(pixels, *, order="<", photometric=None, more=()):
    """An uncompressed TIFF of one strip, (h, w) or (h, w, c), of the array's own type."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    bits = 8 * pixels.dtype.itemsize
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    if photometric is None:
        photometric = 1 if channels == 1 else 2
    extra = 8 + len(data) + len(data) % 2
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, bits if channels == 1 else extra),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, 8),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
        (339, 3, channels, kind if channels == 1 else extra + 2 * channels),
        *more,
    ]
    lists = struct.pack(f"{order}{2 * channels}H", *[bits] * channels, *[kind] * channels)
    start = extra + len(lists)
    directory = struct.pack(f"{order}H", len(tags))
    for tag, form, count, value in sorted(tags):
        short = form == 3 and count == 1
        directory += struct.pack(f"{order}HHI", tag, form, count)
        directory += (
            struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
        )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    return head + data + b"\0" * (len(data) % 2) + lists + directory + struct.pack(f"{order}I", 0)


def jpeg_exif(orientation):
    """An EXIF block that states an orientation."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(
        ">HHI", orientation, 0, 0
    )
