"""Parquet files, and folders of their shards."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrow import columns_of
from lcrjax.data.columns import Column, choose_roles
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need, reading
from lcrjax.data.foreign import check_fetched
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options
from lcrjax.data.split_names import split_of
from lcrjax.data.table import from_table
from lcrjax.numerics.streams import Stream

SUFFIXES = (".parquet", ".pq")
_ADVICE = "get it anew"
_BATCH = 1024


def is_parquet(named: str | Path) -> bool:
    """Say whether a path is a Parquet file, or a folder that holds some, in folders or not."""
    path = Path(named)
    if path.is_dir():
        return bool(_shards(path))
    return path.suffix.lower() in SUFFIXES and path.exists()


def load_parquet(named: str | Path, options: Options) -> Dataset:
    """Load a Parquet file or a folder of shards: pictures, lists of numbers, texts or numbers.

    Shards called `train-...` and `test-...`, or in folders `train/` and `test/`, are the splits;
    `validation-...` stands for the test set where there is none. Columns are chosen as those of a
    CSV file. Pictures are structs of `bytes` and `path`, as Hugging Face writes them, or binary.

    Raises:
        DataError: A ValueError, if a file is damaged or claims too much, or a column is not there.
        ImportError: If pyarrow is not installed.
    """
    path = Path(named)
    shards = _shards(path) if path.is_dir() else [path]
    need("pyarrow.parquet", "pyarrow", "study")
    words = [_word(shard, path) if path.is_dir() else None for shard in shards]
    if any(words) and not all(words):
        lone = next(s for s, word in zip(shards, words, strict=True) if not word)
        raise DataError(
            f"{lone} says no split in its name, but other shards do: call it train-... or test-..."
        )
    splits = None
    with reading(path, _ADVICE, typed=True):
        head = columns_of(_read(shards[:1], path, options, rows=_BATCH)[0], str(path))
        roles = choose_roles(head, options, str(path))
        if any(words):
            roles = roles._replace(split=None)
        large = roles.streamed(head, _count(shards), options)
        read = [name for name in roles.used() if name != large]
        tables = _read(shards, path, options, columns=read)
        if any(words):
            counts = [len(table) for table in tables]
            splits = np.repeat([str(word) for word in words], counts)
        pa = need("pyarrow", "pyarrow", "study")
        columns = columns_of(pa.concat_tables(tables), str(path))
        if large is not None:
            whole = need("pyarrow.dataset", "pyarrow", "study").dataset(list(map(str, shards)))
            columns[large] = Column("arrays", Stream(whole, large, what=f"vectors of {path}"))
    facts = {"name": path.resolve().name.removesuffix(path.suffix)}
    if path.is_dir():
        facts["source"] = f"the Parquet files of the folder {path.resolve().name}"
    return from_table(path, columns, roles, options, splits=splits, **facts)


def _shards(folder: Path) -> list[Path]:
    """Parquet files of a folder and of those in it, in order."""
    found: list[Path] = []
    for depth in ("*", "*/*"):
        found += sorted(p for suffix in SUFFIXES for p in folder.glob(depth + suffix))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def _word(shard: Path, folder: Path) -> str | None:
    """Return the split that a shard's name or folder says."""
    begin = re.match(r"[A-Za-z]*", shard.name)
    words = [begin[0] if begin else "", shard.parent.name if shard.parent != folder else ""]
    return next((split for split in map(split_of, words) if split), None)


def _count(shards: Sequence[Path]) -> int:
    pq = need("pyarrow.parquet", "pyarrow", "study")
    return sum(pq.read_metadata(shard).num_rows for shard in shards if shard.is_file())


def _read(
    shards: Sequence[Path],
    where: Path,
    options: Options,
    *,
    rows: int | None = None,
    columns: Sequence[str] | None = None,
) -> list[Any]:
    """Read shards batch by batch, so that a small file cannot fill the memory unseen."""
    pq = need("pyarrow.parquet", "pyarrow", "study")
    pa = need("pyarrow", "pyarrow", "study")
    stored = sum(shard.stat().st_size for shard in shards)
    tables, taken = [], 0
    for shard in shards:
        if not shard.is_file():
            raise DataError(f"{shard} is not a regular file: give the path of a Parquet file.")
        check_fetched(shard)
        with pq.ParquetFile(shard) as file:
            schema = file.schema_arrow
            if columns is not None:
                if absent := [name for name in columns if name not in schema.names]:
                    raise DataError(f"{shard} lacks the column {absent[0]!r} that others have.")
                schema = pa.schema([schema.field(name) for name in columns], schema.metadata)
            batches = []
            for batch in file.iter_batches(min(_BATCH, rows or _BATCH), columns=columns):
                taken += batch.nbytes
                check_bytes(str(where), taken, stored, options.max_bytes)
                batches.append(batch.select(schema.names))
                if rows is not None:
                    break
            tables.append(pa.Table.from_batches(batches, schema))
    return tables
