"""Table of a study: as Parquet with provenance, read back, and compared."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lcrjax.study.columns import COLUMNS, DESIGN, LATER, Column

#: Key of the Parquet metadata under which the study's configuration lies as JSON.
PROVENANCE = b"lcrjax"


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Names and types of a table's columns."""
    return pa.schema([(column.name, pa.type_for_alias(column.type)) for column in columns])


SCHEMA = schema(COLUMNS)
_KNOWN = [
    schema((*COLUMNS, *design, *later)).names
    for design, later in itertools.product(((), DESIGN), ((), LATER))
]


def encode(
    frame: pd.DataFrame, provenance: dict[str, Any], columns: Sequence[Column] = COLUMNS
) -> bytes:
    """Return a Parquet file with a table's columns; missing values become nulls.

    Args:
        frame: Has at least the table's columns; others are left out.
        provenance: Written into the file's metadata as JSON.
        columns: The table's.

    Raises:
        ValueError: If a column is missing or its values are not of its type.
    """
    wanted = schema(columns)
    lacking = [name for name in wanted.names if name not in frame]
    if lacking:
        raise ValueError(f"the rows lack the columns {', '.join(lacking)}: measure or train these")
    table = pa.Table.from_pandas(frame[wanted.names], schema=wanted, preserve_index=False)
    note = json.dumps(provenance, sort_keys=True).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), PROVENANCE: note})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a file that `encode` made.

    Returns:
        The table, and its provenance.

    Raises:
        ValueError: If the file is damaged, or not such a file.
    """
    try:
        table = pq.read_table(path, partitioning=None)
        provenance = json.loads((table.schema.metadata or {})[PROVENANCE])
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is not a table of an lcrjax study ({error}): name one that is"
        ) from None
    if table.schema.names not in _KNOWN:
        raise ValueError(f"{path} has other columns than this version's tables: run the study anew")
    return table.to_pandas(), provenance


def same_results(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Tell whether two tables agree to the bit in everything but wall time.

    Every column that is not a timing must have the same name, place, type and bits, row by row;
    missing values equal missing values, and 0.0 differs from -0.0.
    """
    timings = [column.name for column in COLUMNS if column.timing]
    a, b = (frame.drop(columns=timings, errors="ignore") for frame in (a, b))
    if list(a.columns) != list(b.columns) or len(a) != len(b) or (a.dtypes != b.dtypes).any():
        return False
    return all(_same_bits(a[name], b[name]) for name in a)


def _same_bits(a: pd.Series, b: pd.Series) -> bool:
    if pd.api.types.is_float_dtype(a):
        x, y = a.to_numpy(np.float64), b.to_numpy(np.float64)
        both = np.isnan(x) & np.isnan(y)
        return bool((both | (x.view(np.int64) == y.view(np.int64))).all())
    return a.reset_index(drop=True).equals(b.reset_index(drop=True))
