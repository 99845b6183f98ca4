"""Archives of arrays: MedMNIST's layout, or plain images and labels."""

import zipfile
from pathlib import Path
from typing import Any

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.limits import check_bytes
from lcrjax.data.npz_member import read_array, read_claim

_SPLIT = ("train_images", "train_labels", "test_images", "test_labels")
_PLAIN = ("images", "labels")
_ADVICE = "get it anew, or save it with numpy.savez_compressed"


def load_npz(path: Path, *, max_bytes: int | None = None, **options: Any) -> Dataset:
    """Load an `.npz` file.

    With `train_images`, `train_labels`, `test_images` and `test_labels` (MedMNIST's layout) these
    are the splits, and validation arrays (`val_images`, `val_labels`) are left out: the paper
    trains on MedMNIST's training split alone. With plain `images` and `labels`, a test set is held
    out class by class. Other arrays are not read. Nothing is ever unpickled.

    Args:
        path: The file.
        max_bytes: Largest total size of the arrays, see `limits.byte_limit`.
        **options: Options of `from_arrays`; `name` and `source` have defaults.

    Raises:
        DataError: A ValueError, if the file is no such archive, is damaged, or claims too much.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a file; give the path of an .npz file.")
    with reading(path, _ADVICE):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path} is no .npz archive; save it with numpy.savez_compressed.")
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
            arrays = [read_array(archive, members[name], claims[name]) for name in names]
    options = {"name": path.stem, "source": f"the file {path.name}"} | options
    return from_arrays(options.pop("name"), *arrays, **options)


def _names(path: Path, found: set[str]) -> tuple[str, ...]:
    if found.issuperset(_SPLIT):
        return _SPLIT
    if found.issuperset(_PLAIN):
        return _PLAIN
    layout = _SPLIT if found.intersection(_SPLIT) else _PLAIN
    missing = ", ".join(name for name in layout if name not in found)
    held = ", ".join(sorted(found)[:12]) or "no arrays"
    raise DataError(
        f"{path} holds {held} but lacks {missing}; it needs {', '.join(_SPLIT)}, "
        "or images and labels."
    )
