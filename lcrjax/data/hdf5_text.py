"""Texts of any length in HDF5 files, looked through before HDF5 believes what they claim.

Damaged, they make its library take gigabytes, or go round for ever. An array of them holds each
one's length, the address of a heap in the file, and its place in this (HDF5 File Format
Specification 3.0, sections III.E and IV.B).
"""

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError


def claimed_text(item: Any, name: str, path: Path) -> int:
    """Bytes that an array's texts take, of a file whose heaps are sound.

    Args:
        item: An array of h5py that lies in the file, of texts of any length.
        name: Its name.
        path: The file.

    Raises:
        DataError: If a text claims more than the file has, a heap is damaged, or the array is
            packed in a way that is not looked through.
    """
    address_bytes, length_bytes = item.file.id.get_create_plist().get_sizes()
    width = 8 + address_bytes
    held = np.frombuffer(_stored(item, name, path, width), np.uint8).reshape(-1, width)
    lengths = np.ascontiguousarray(held[:, :4]).view("<u4")[:, 0].astype(np.int64)
    heaps = np.ascontiguousarray(held[lengths > 0, 4:-4]).view(f"<u{address_bytes}")[:, 0]
    if max(lengths, default=0) > path.stat().st_size:
        raise DataError(f"{name} in {path} claims texts longer than the file: get it anew.")
    for heap in np.unique(heaps):
        if not _is_sound(path, item.file.userblock_size + int(heap), length_bytes):
            raise DataError(f"{name} in {path} has texts in a damaged heap: get it anew.")
    return int(lengths.sum())


def _is_sound(path: Path, start: int, length_bytes: int) -> bool:
    """Whether a heap and all its objects end where the file or the heap does, or before."""
    head = -(-(8 + length_bytes) // 8) * 8  # of a heap as of an object, a multiple of 8
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(min(start, size))
        claimed = int.from_bytes(stream.read(8 + length_bytes)[8:], "little")
        if not head <= claimed <= size - start:
            return False
        stream.seek(start)
        heap = stream.read(claimed)
    at = head
    while at + head <= len(heap):
        length = int.from_bytes(heap[at + 8 : at + 8 + length_bytes], "little")
        free = heap[at : at + 2] == b"\0\0"
        taken = length if free else head + -(-length // 8) * 8
        if not head <= taken <= len(heap) - at:
            return False
        at += taken
    return True


def _stored(item: Any, name: str, path: Path, width: int) -> bytes:
    """Bytes of an array as they lie in its file, unpacked."""
    if item.chunks is None:
        start = item.id.get_offset()
        if start is None and not item.id.get_storage_size():
            return b""  # none was written
        if start is None:
            raise DataError(f"{name} in {path} lies in a header: save it as a plain array.")
        with path.open("rb") as stream:
            stream.seek(start)
            content = stream.read(min(item.size * width, path.stat().st_size))
        return content[: len(content) // width * width]
    if item.compression not in (None, "gzip") or item.fletcher32 or item.scaleoffset is not None:
        raise DataError(f"{name} in {path} holds packed text: save it plain or with gzip.")
    size = width * math.prod(item.chunks)
    parts = []
    for i in range(item.id.get_num_chunks()):
        unused, part = item.id.read_direct_chunk(item.id.get_chunk_info(i).chunk_offset)
        if item.compression == "gzip" and not unused & (1 << item.shuffle):
            part = zlib.decompressobj().decompress(part, size)
        if item.shuffle and not unused & 1:
            part = np.frombuffer(part, np.uint8).reshape(width, -1).T.tobytes()
        parts.append(part[: len(part) // width * width])
    return b"".join(parts)
