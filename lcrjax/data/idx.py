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

#: Names that copies of the files have: "emnist-letters-train-images-idx3-ubyte.gz".
_NAME = re.compile(
    r"(?:(.+?)[-._])?(train|t10k|test)[-._](images|labels)[-._]idx([13])[-._]ubyte(?:\.gz)?", re.I
)
_GZIP = b"\x1f\x8b"
_ADVICE = "get it anew"
_FASHION = "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7"
#: Files of one dataset by split ("train" or "test") and kind ("images" or "labels").
Files = dict[tuple[str, str], Path]


def is_idx(named: str | Path) -> bool:
    """Say whether a file, or one in a folder, is named as the MNIST family's are."""
    path = Path(named)
    if not path.is_dir():
        return bool(_NAME.fullmatch(path.name)) and path.exists()
    with contextlib.suppress(OSError):
        return any(_NAME.fullmatch(entry.name) for entry in path.iterdir())
    return False


def load_idx(named: str | Path, options: Options) -> Dataset:
    """Load a folder of `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` and so on.

    The files may be gzipped, `test` may stand for `t10k`, and any of `-`, `.` and `_` between the
    words. Where names begin with a dataset's, as EMNIST's do, and there are several in a folder,
    `named` is a file of the one that is meant. Either split may be missing: then the other is the
    whole dataset. EMNIST stores its images transposed; they are turned, and a note says so.
    Fashion-MNIST is recognised by its labels and gets its class names; other classes are named by
    their numbers.

    Raises:
        DataError: A ValueError, if a file is missing, damaged, or longer than its header says.
    """
    files, name = _files(Path(named))
    notes: list[str] = []
    splits = [split for split in ("train", "test") if (split, "images") in files]
    arrays = [
        read_idx(files[split, kind], 3 if kind == "images" else 1, options.max_bytes)
        for split in splits
        for kind in ("images", "labels")
    ]
    if name.lower().startswith("emnist"):
        arrays[::2] = [images.swapaxes(1, 2) for images in arrays[::2]]
        notes.append("EMNIST's files hold transposed images: they were turned.")
    if len(splits) == 1:
        notes.append(f"Only the {splits[0]} files are there: they are the whole dataset.")
    known = _KNOWN.get(hashlib.sha256(arrays[1].tobytes()).hexdigest(), {})
    facts = {"name": name, "source": "a folder of IDX files", "notes": notes} | known
    return from_arrays(facts.pop("name"), *arrays, **facts | options.of_arrays())


def _files(named: Path) -> tuple[Files, str]:
    """Files of the dataset that is meant, and its name."""
    folder = named if named.is_dir() else named.parent
    by_prefix: dict[str, Files] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a plain file comes last and stays
        if (match := _NAME.fullmatch(path.name)) and not path.is_dir():
            split = "train" if match[2].lower() == "train" else "test"
            by_prefix.setdefault(match[1] or "", {})[split, match[3].lower()] = path
    if named is not folder:
        match = _NAME.fullmatch(named.name)
        prefix = (match and match[1]) or ""
    elif len(by_prefix) > 1:
        some = next(iter(by_prefix[max(by_prefix)].values()))
        raise DataError(
            f"{folder} holds the datasets {', '.join(sorted(map(repr, by_prefix)))}: give a file "
            f"of the one that you mean, such as {some}."
        )
    else:
        prefix = next(iter(by_prefix), "")
    files = by_prefix.get(prefix, {})
    for split in ("train", "test"):
        there = [kind for kind in ("images", "labels") if (split, kind) in files]
        if len(there) == 1 or not files:
            lacking = "labels" if there == ["images"] else "images"
            example = {"train": "train", "test": "t10k"}[split]
            rank = {"images": 3, "labels": 1}[lacking]
            raise DataError(
                f"{folder} lacks {prefix and prefix + '-'}{example}-{lacking}-idx{rank}-ubyte (or "
                "the same with .gz): images and labels must lie there together."
            )
    return files, prefix or folder.resolve().name


def read_idx(path: Path, ndim: int, max_bytes: int | None = None) -> np.ndarray:
    """Read one IDX file of bytes, gzipped or not, whatever its name says.

    Args:
        path: The file.
        ndim: Number of axes it must have: 3 for images, 1 for labels.
        max_bytes: Largest size of the array, see `limits.check_bytes`.

    Raises:
        DataError: If it is no such file, is damaged, or its length is not what its header says.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: {_ADVICE}.")
    stored = path.stat().st_size
    with reading(path, _ADVICE), path.open("rb") as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if zipped else file
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
