"""Single NumPy arrays in files, memory-mapped."""

from pathlib import Path

import numpy as np

from lcrjax.data.errors import DataError, reading
from lcrjax.data.text import as_text

_ADVICE = "get it anew, or save it with numpy.save"


def read_npy(path: Path) -> np.ndarray:
    """Map an `.npy` file into memory; its values are read where they are used.

    Raises:
        DataError: If it is no such file, is damaged, or holds Python objects.
    """
    with reading(path, _ADVICE):
        if not path.is_file():
            raise DataError(f"{path} is not a regular file: give the path of an .npy file.")
        with path.open("rb") as stream:
            if stream.read(6) != b"\x93NUMPY":
                raise DataError(f"{path} is not a NumPy array: save it with numpy.save.")
            if b"'O'" in (head := stream.read(300)) or b"|O" in head:
                raise DataError(
                    f"{path} holds Python objects, which are never unpickled: "
                    "store plain numbers, and text as np.array(texts, dtype=str)."
                )
        # Not np.load, which would take a zip archive too.
        mapped = np.lib.format.open_memmap(path, mode="r")
    if mapped.dtype.kind not in "buifSU":
        raise DataError(f"{path} holds {mapped.dtype}: store plain numbers or text.")
    if not mapped.ndim:
        raise DataError(f"{path} holds a single value: store one row per element.")
    native = np.asarray(mapped).astype(mapped.dtype.newbyteorder("="), copy=False)
    return as_text(native, str(path))
