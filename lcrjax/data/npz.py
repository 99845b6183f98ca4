"""Archives of NumPy arrays."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.foreign import advice
from lcrjax.data.keys import from_keyed, read_keyed
from lcrjax.data.limits import check_bytes
from lcrjax.data.npz_member import read_array, read_claim
from lcrjax.data.options import Options

_ADVICE = "get it anew, or save it with numpy.savez_compressed"


def load_npz(named: str | Path, options: Options, **facts: Any) -> Dataset:
    """Load an `.npz` file whose arrays have usual names (`lcrjax.data.keys`).

    With `train_images`, `train_labels`, `test_images` and `test_labels` (MedMNIST's layout), or
    `x_train` and so on, these are the splits, and validation arrays are left out: the paper trains
    on MedMNIST's training split alone. Of plain `images` and `labels`, `X` and `y` and the like a
    test set is held out class by class. An array of class names, of names and of groups is used.
    Nothing is ever unpickled. `facts` are a name, classes' names, a source and a licence that are
    known otherwise.

    Raises:
        DataError: A ValueError, if the file is no such archive, is damaged, or claims too much.
    """
    path = Path(named)
    if not path.is_file():
        raise DataError(f"{path} is not a file: give the path of an .npz file.")
    with reading(path, _ADVICE):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path} is in no format that is read: {advice(path)}.")
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }

            def read(names: Any) -> list[np.ndarray]:
                claims = {name: read_claim(archive, members[name], path) for name in names}
                claimed = sum(claim.nbytes for claim in claims.values())
                check_bytes(str(path), claimed, path.stat().st_size, options.max_bytes)
                return [read_array(archive, members[name], claims[name]) for name in names]

            keyed = read_keyed(str(path), members, read, options.labelled)
    return from_keyed(path, keyed, options, **facts)
