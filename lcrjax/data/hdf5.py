"""HDF5 files whose arrays have usual names."""

import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need, reading
from lcrjax.data.keys import from_keyed, read_keyed
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options

SUFFIXES = (".h5", ".hdf5", ".he5")
_ADVICE = "get it anew, or save its arrays with numpy.savez_compressed"
_MOST_ARRAYS = 10_000


def load_hdf5(named: str | Path, options: Options) -> Dataset:
    """Load an HDF5 file whose datasets, in groups or not, are named as an `.npz` file's arrays.

    `train/images` counts as `train_images`. Links to other files, and data that lie in them, are
    refused.

    Raises:
        DataError: A ValueError, if it is no such file, is damaged, or claims too much.
        ImportError: If h5py is not installed.
    """
    path = Path(named)
    h5py = need("h5py", "h5py", "hdf5")
    with reading(path, _ADVICE), h5py.File(path, "r") as file:
        found: dict[str, Any] = {}
        _collect(h5py, file, "", found, path, depth=0)

        def read(names: Sequence[str]) -> list[np.ndarray]:
            claimed = sum(found[name].nbytes for name in names)
            claimed += sum(_text_bytes(h5py, found[name], name, path) for name in names)
            check_bytes(str(path), claimed, path.stat().st_size, options.max_bytes)
            return [_read(h5py, found[name], name, path) for name in names]

        keyed = read_keyed(str(path), found, read)
    return from_keyed(path, keyed, options)


def _collect(
    h5py: Any, group: Any, above: str, found: dict[str, Any], path: Path, depth: int
) -> None:
    """Collect a group's datasets by their paths."""
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            continue  # to another file, or to what is here anyway
        item = group[name]
        if isinstance(item, h5py.Group) and depth < 3:
            _collect(h5py, item, f"{above}{name}/", found, path, depth + 1)
        elif isinstance(item, h5py.Dataset):
            found[above + name] = item
        if len(found) > _MOST_ARRAYS:
            raise DataError(f"{path} holds more than {_MOST_ARRAYS:,} arrays: save those needed.")


def _text_bytes(h5py: Any, item: Any, name: str, path: Path) -> int:
    """Bytes that strings of any length claim, which HDF5 would believe; 0 of anything else."""
    kind = h5py.check_string_dtype(item.dtype)
    if kind is None or kind.length is not None or item.external is not None or item.is_virtual:
        return 0
    width = 8 + item.file.id.get_create_plist().get_sizes()[0]
    held = np.frombuffer(_stored(item, name, path, width), np.uint8).reshape(-1, width)
    # A string is its length, the address of a heap in the file, and its place in this.
    lengths = np.ascontiguousarray(held[:, :4]).view("<u4")[:, 0].astype(np.int64)
    heaps = np.ascontiguousarray(held[lengths > 0, 4:-4]).view(f"<u{width - 8}")[:, 0]
    size = path.stat().st_size
    claims = [*lengths, *_heap_sizes(path, np.unique(heaps), item.file.userblock_size)]
    if max(claims, default=0) > size:
        raise DataError(f"{name} in {path} claims texts longer than the file: get it anew.")
    return int(lengths.sum())


def _heap_sizes(path: Path, addresses: np.ndarray, start: int) -> list[int]:
    """Sizes that heaps of strings claim, by the format's specification, III.E."""
    sizes = []
    with path.open("rb") as stream:
        for address in addresses:
            stream.seek(min(start + int(address), path.stat().st_size))
            head = stream.read(16)
            sizes.append(int.from_bytes(head[8:16], "little"))
    return sizes


def _stored(item: Any, name: str, path: Path, width: int) -> bytes:
    """Bytes of an array as they lie in its file, unpacked."""
    if item.chunks is None:
        if (start := item.id.get_offset()) is None:
            return b""  # none written, or within the header, which is small
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


def _read(h5py: Any, item: Any, name: str, path: Path) -> np.ndarray:
    if item.external is not None or item.is_virtual:
        raise DataError(f"{name} in {path} lies in other files: save it in this one.")
    if h5py.check_string_dtype(item.dtype) is not None:
        return np.asarray(item.asstr()[()], dtype=str)
    if item.dtype.kind not in "buifS":
        raise DataError(f"{name} in {path} holds {item.dtype}: store plain numbers or text.")
    return np.asarray(item[()])
