"""One array out of a zip archive, read believing nothing that its header says."""

import io
import math
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lcrjax.data.errors import DataError
from lcrjax.data.limits import DEFLATE_RATIO, fill

_LONGEST_HEADER = 10_000


class Claim(NamedTuple):
    """What an array's header says; `offset` bytes lie before the first value."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of its values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_claim(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Claim:
    """Read the header of an archive's member and check it against what the archive stores.

    Raises:
        DataError: If the header is none, holds Python objects, or does not match the member; the
            text names `path`, the archive's.
    """
    where = f"{info.filename} in {path}"
    if info.flag_bits & 0x1:
        raise DataError(f"{where} is encrypted: store it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} is not compressed as numpy.savez_compressed does: save it anew.")
    ratio = DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
    if info.file_size > ratio * info.compress_size:
        raise DataError(
            f"{where} states {info.file_size:,} bytes, which {info.compress_size:,} stored bytes "
            "cannot hold: the archive is damaged or hostile, get it anew."
        )
    with archive.open(info) as stream:
        start = stream.read(12)
        if len(start) < 12 or start[:6] != b"\x93NUMPY":
            raise DataError(f"{where} is not a NumPy array: save it with numpy.savez_compressed.")
        version = start[6]
        if version not in (1, 2):
            raise DataError(
                f"{where} has an array header of version {version}: store plain numbers."
            )
        length_bytes = 2 if version == 1 else 4
        (length,) = struct.unpack_from("<H" if version == 1 else "<I", start, 8)
        if length > _LONGEST_HEADER:
            raise DataError(
                f"{where} has an array header of {length:,} bytes: store plain numbers."
            )
        offset = 8 + length_bytes + length
        header = io.BytesIO((start + stream.read(max(0, offset - len(start))))[8:])
    shape, fortran_order, dtype = _parse(header, version, where)
    claim = Claim(shape, fortran_order, dtype, offset)
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are never unpickled: "
            "store plain numbers, and text as np.array(names, dtype=str)."
        )
    if dtype.kind not in "buifSUc" or min(shape, default=0) < 0:
        raise DataError(f"{where} holds {dtype} of shape {shape}: store plain numbers.")
    if claim.nbytes != info.file_size - offset:
        raise DataError(
            f"{where} claims the shape {shape} of {dtype}, {claim.nbytes:,} bytes, but holds "
            f"{max(0, info.file_size - offset):,}: the file is damaged, get it anew."
        )
    return claim


def _parse(header: io.BytesIO, version: int, where: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    parsers = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    try:
        return parsers[version](header)
    except Exception as error:  # NumPy tokenizes and evaluates it, which fails in many ways
        raise DataError(f"{where} has a broken array header: get the file anew.") from error


def read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, claim: Claim) -> np.ndarray:
    """Read what `read_claim` has checked straight into its memory, and verify the checksum.

    Returns:
        The array, C-contiguous, in the machine's byte order.

    Raises:
        EOFError: If the member ends early.
        zipfile.BadZipFile: If its checksum is wrong.
    """
    array = np.empty(math.prod(claim.shape), claim.dtype)
    with archive.open(info) as stream:
        stream.read(claim.offset)
        fill(stream, array, info.filename)
    native = array.astype(claim.dtype.newbyteorder("="), copy=False)
    if claim.fortran_order:
        return np.ascontiguousarray(native.reshape(claim.shape[::-1]).T)
    return native.reshape(claim.shape)
