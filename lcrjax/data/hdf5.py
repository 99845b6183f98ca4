"""HDF5 files whose arrays have usual names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need, reading
from lcrjax.data.hdf5_text import claimed_text
from lcrjax.data.keys import from_keyed, read_keyed
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options
from lcrjax.numerics.sources import takes_blocks
from lcrjax.numerics.streams import Stream

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

        def read(names: Sequence[str]) -> list[Any]:
            large = [name for name in names if options.in_blocks and _is_large(found[name])]
            claimed = sum(found[name].nbytes for name in names if name not in large)
            for name in names:
                if (of := h5py.check_string_dtype(found[name].dtype)) and of.length is None:
                    claimed += claimed_text(_own(found[name], name, path), name, path)
            check_bytes(str(path), claimed, path.stat().st_size, options.max_bytes)
            return [
                _streamed(h5py, found[name], name, path)
                if name in large
                else _read(h5py, found[name], name, path)
                for name in names
            ]

        keyed = read_keyed(str(path), found, read, options.labelled)
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


def _is_large(item: Any) -> bool:
    return item.ndim == 2 and item.dtype.kind in "buif" and takes_blocks(item.nbytes)


def _streamed(h5py: Any, item: Any, name: str, path: Path) -> Stream:
    """Vectors that are read in blocks, of a file that stays open for them."""
    again = h5py.File(path, "r")[_own(item, name, path).name]
    return Stream(again, what=f"vectors of {path}")


def _read(h5py: Any, item: Any, name: str, path: Path) -> np.ndarray:
    item = _own(item, name, path)
    if h5py.check_string_dtype(item.dtype) is not None:
        return np.asarray(item.asstr()[()], dtype=str)
    if item.dtype.kind not in "buifS":
        raise DataError(f"{name} in {path} holds {item.dtype}: store plain numbers or text.")
    return np.asarray(item[()])


def _own(item: Any, name: str, path: Path) -> Any:
    """An array that lies in its own file."""
    if item.external is not None or item.is_virtual:
        raise DataError(f"{name} in {path} lies in other files: save it in this one.")
    return item
