"""Labels in a file of their own."""

from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.columns import Column
from lcrjax.data.delimited import SUFFIXES, read_column
from lcrjax.data.errors import DataError, reading
from lcrjax.data.npy import read_npy
from lcrjax.data.table import as_labels


def read_labels(spec: str, count: int) -> Any:
    """Read labels from `FILE.npy`, `FILE.csv`, `FILE.csv:COLUMN` or `FILE.txt` (one per line).

    Args:
        spec: The file, after a colon the column of a table.
        count: Number of elements that they belong to.

    Raises:
        DataError: If there is no such file or column, or labels are missing.
    """
    path, column = Path(spec), None
    if not path.exists() and ":" in spec:
        file, _, column = spec.rpartition(":")
        path = Path(file)
    if not path.is_file():
        raise DataError(f"there is no file of labels {path}: check the path.")
    suffix = path.suffix.lower()
    if column is not None and suffix not in SUFFIXES:
        raise DataError(f"{path} is no table, so it has no column {column!r}: leave it out.")
    if suffix == ".npy":
        return np.asarray(read_npy(path))
    if suffix in SUFFIXES:
        return as_labels(read_column(path, column, count), column or "label", str(path))
    if suffix == ".txt":
        with reading(path, "save one label per line, in UTF-8"):
            lines = path.read_text("utf-8-sig").rstrip().splitlines()
        return as_labels(Column("words", np.array(lines, dtype=object)), "label", str(path))
    raise DataError(f"labels come from .npy, .csv, .tsv or .txt, not from {path.name}: save so.")
