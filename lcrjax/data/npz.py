"""Archives of arrays: MedMNIST's layout, or plain images and labels."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.limits import check_bytes
from lcrjax.data.npz_member import read_array, read_claim
from lcrjax.data.options import Options

_SPLIT = ("train_images", "train_labels", "test_images", "test_labels")
_PLAIN = ("images", "labels")
_ADVICE = "get it anew, or save it with numpy.savez_compressed"


def load_npz(named: str | Path, options: Options, **facts: Any) -> Dataset:
    """Load an `.npz` file.

    With `train_images`, `train_labels`, `test_images` and `test_labels` (MedMNIST's layout) these
    are the splits, and validation arrays (`val_images`, `val_labels`) are left out: the paper
    trains on MedMNIST's training split alone. With plain `images` and `labels`, a test set is held
    out class by class. Other arrays are not read. Nothing is ever unpickled. `facts` are a
    name, classes' names, a source and a licence that are known otherwise.

    Raises:
        DataError: A ValueError, if the file is no such archive, is damaged, or claims too much.
    """
    path = Path(named)
    facts = {"name": path.stem, "source": f"the file {path.name}"} | facts
    arrays = _read(path, options.max_bytes)
    return from_arrays(facts.pop("name"), *arrays, **facts | options.of_arrays())


def _read(path: Path, max_bytes: int | None) -> list[np.ndarray]:
    if not path.is_file():
        raise DataError(f"{path} is not a file: give the path of an .npz file.")
    with reading(path, _ADVICE):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path} is no .npz archive: save it with numpy.savez_compressed.")
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            names = _names(path, set(members))
            claims = {name: read_claim(archive, members[name], path) for name in names}
            claimed = sum(claim.nbytes for claim in claims.values())
            check_bytes(str(path), claimed, path.stat().st_size, max_bytes)
            return [read_array(archive, members[name], claims[name]) for name in names]


def _names(path: Path, found: set[str]) -> tuple[str, ...]:
    if found.issuperset(_SPLIT):
        return _SPLIT
    if found.issuperset(_PLAIN):
        return _PLAIN
    layout = _SPLIT if found.intersection(_SPLIT) else _PLAIN
    missing = ", ".join(name for name in layout if name not in found)
    held = ", ".join(sorted(found)[:12]) or "no arrays"
    raise DataError(
        f"{path} holds {held} but lacks {missing}: it needs {', '.join(_SPLIT)}, "
        "or images and labels."
    )
