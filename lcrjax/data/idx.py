"""Folders of IDX files, gzipped or not: the MNIST family."""

import contextlib
import gzip
import hashlib
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.limits import DEFLATE_RATIO, check_bytes, fill
from lcrjax.data.options import Options

_NAME = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
_ADVICE = "get it anew"
_FASHION = "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7"


def is_idx(named: str | Path) -> bool:
    """Say whether a folder holds a file that is named as the MNIST family's are."""
    if not Path(named).is_dir():
        return False
    with contextlib.suppress(OSError):
        return any(_NAME.fullmatch(entry.name) for entry in Path(named).iterdir())
    return False


def load_idx(named: str | Path, options: Options) -> Dataset:
    """Load a folder of `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` and so on.

    Each file may end in `.gz`; where both are there, the plain one is read. `test` may stand for
    `t10k`, and `.idx` for `-idx`. Fashion-MNIST is recognised by its labels and gets its class
    names; other classes are named by their numbers.

    Raises:
        DataError: A ValueError, if a file is missing, damaged, or longer than its header says.
    """
    folder = Path(named)
    files = _files(folder)
    arrays = [
        read_idx(files[split, kind], 3 if kind == "images" else 1, options.max_bytes)
        for split in ("train", "test")
        for kind in ("images", "labels")
    ]
    known = _KNOWN.get(hashlib.sha256(arrays[1].tobytes()).hexdigest(), {})
    facts = {"name": folder.resolve().name, "source": "a folder of IDX files"} | known
    return from_arrays(facts.pop("name"), *arrays, **facts | options.of_arrays())


def _files(folder: Path) -> dict[tuple[str, str], Path]:
    files: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a plain file comes last and stays
        if match := _NAME.fullmatch(path.name):
            split = "train" if match[1] == "train" else "test"
            files[split, match[2]] = path
    for split, example in (("train", "train"), ("test", "t10k")):
        for kind, rank in (("images", 3), ("labels", 1)):
            if (split, kind) not in files:
                raise DataError(
                    f"{folder} lacks {example}-{kind}-idx{rank}-ubyte (or the same with .gz): "
                    "the training and the test files must lie there together."
                )
    return files


def read_idx(path: Path, ndim: int, max_bytes: int | None = None) -> np.ndarray:
    """Read one IDX file of bytes, gzipped where its name ends in `.gz`.

    Args:
        path: The file.
        ndim: Number of axes it must have: 3 for images, 1 for labels.
        max_bytes: Largest size of the array, see `limits.check_bytes`.

    Raises:
        DataError: If it is no such file, is damaged, or its length is not what its header says.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: {_ADVICE}.")
    zipped = path.suffix == ".gz"
    stored = path.stat().st_size
    with reading(path, _ADVICE), gzip.open(path) if zipped else path.open("rb") as stream:
        header = stream.read(4 + 4 * ndim)
        magic = bytes((0, 0, 8, ndim))
        if header[:4] != magic:
            raise DataError(
                f"{path} begins with {header[:4].hex() or 'nothing'}, not with {magic.hex()} as "
                f"an IDX file of {'images' if ndim == 3 else 'labels'} does: {_ADVICE}."
            )
        if len(header) < 4 + 4 * ndim:
            raise DataError(f"{path} ends within its header: {_ADVICE}.")
        shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
        claimed = math.prod(shape)
        possible = DEFLATE_RATIO * stored if zipped else stored - len(header)
        if claimed > possible:
            raise DataError(
                f"{path} claims the shape {shape}, {claimed:,} bytes, but holds at most "
                f"{possible:,}: the file is cut off or damaged, {_ADVICE}."
            )
        check_bytes(str(path), claimed, stored, max_bytes)
        array = np.empty(shape, np.uint8)
        fill(stream, array, "what its header claims")
    return array


_KNOWN: dict[str, dict[str, Any]] = {
    # SHA-256 of the 60,000 training labels.
    _FASHION: {
        "name": "fashion-mnist",
        "class_names": (
            *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
        "source": "Fashion-MNIST (Xiao, Rasul & Vollgraf 2017)",
        "licence": "MIT",
    },
}
