"""Datasets of the `datasets` package: folders that it saved, and those of the Hugging Face Hub."""

from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrow import columns_of
from lcrjax.data.columns import Column, choose_roles
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need, reading
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options
from lcrjax.data.split_names import split_of
from lcrjax.data.table import from_table
from lcrjax.numerics.streams import Stream

_PREFIX = "hf:"
_HEAD = 1000


def is_hub(named: str | Path) -> bool:
    """Say whether a dataset of the Hugging Face Hub is asked for."""
    return isinstance(named, str) and named.startswith(_PREFIX)


def is_saved(named: str | Path) -> bool:
    """Say whether a folder was written by `Dataset.save_to_disk` or `DatasetDict.save_to_disk`."""
    folder = Path(named)
    return (folder / "dataset_dict.json").is_file() or (
        (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    )


def load_saved(named: str | Path, options: Options) -> Dataset:
    """Load a folder that the `datasets` package saved; splits and columns as of Parquet.

    Raises:
        DataError: A ValueError, if a file is damaged or a column is not there.
        ImportError: If `datasets` is not installed.
    """
    datasets = need("datasets", "datasets", "huggingface")
    path = Path(named)
    with reading(path, "save it anew with save_to_disk", typed=True):
        found = datasets.load_from_disk(str(path))
    source = f"the folder {path.resolve().name}"
    return _load(found, path, options, name=path.resolve().name, source=source)


def load_hub(named: str | Path, options: Options) -> Dataset:
    """Load `hf:NAME`, or one of its configurations as `hf:NAME:CONFIGURATION`.

    Nothing that a dataset brings along is executed.

    Raises:
        DataError: A ValueError, if it is unknown or cannot be fetched, or a column is not there.
        ImportError: If `datasets` is not installed.
    """
    name, _, configuration = str(named).removeprefix(_PREFIX).partition(":")
    if not name:
        raise DataError("hf: names no dataset: give hf:NAME, such as hf:ylecun/mnist.")
    datasets = need("datasets", "datasets", "huggingface")
    cache = None if options.cache is None else str(options.cache.expanduser())
    advice = "check its name and the network; where there is none, give a folder of save_to_disk"
    with reading(named, advice, typed=True):
        found = datasets.load_dataset(name, configuration or None, cache_dir=cache)
    facts = _facts(found)
    source = f"the Hugging Face Hub, {name}" + (f" ({configuration})" if configuration else "")
    return _load(found, Path(str(named)), options, name=Path(name).name, source=source, **facts)


def _facts(found: Any) -> dict[str, Any]:
    one = next(iter(found.values())) if hasattr(found, "values") else found
    return {"licence": str(getattr(one.info, "license", "") or "")}


def _load(found: Any, path: Path, options: Options, **facts: Any) -> Dataset:
    where = str(path)
    parts = dict(found) if isinstance(found, dict) else {"train": found}
    if len(parts) == 1:
        parts = {"train": next(iter(parts.values()))}
    words = {word: split_of(word) for word in parts}
    kept = {word: part for word, part in parts.items() if words[word]}
    left = [word for word in parts if word not in kept]
    if not kept:
        raise DataError(f"{where} has the splits {', '.join(parts)}: call them train and test.")
    with reading(where, "save it anew", typed=True):
        for part in kept.values():
            part.data.validate(full=True)  # else damaged offsets lead out of the file's memory
        arrow = {word: part.with_format("arrow") for word, part in kept.items()}
        first = next(iter(arrow.values()))
        head = columns_of(first[: min(_HEAD, len(first))], where)
        head = _with_classes(head, first)
        roles = choose_roles(head, options, where)
        if len(kept) > 1:
            roles = roles._replace(split=None)
        stored = sum(part.data.nbytes for part in arrow.values())
        tables = []
        large = roles.streamed(head, sum(map(len, kept.values())), options)
        read = [name for name in roles.used() if name != large]
        for part in arrow.values():
            tables.append(part.select_columns(read)[:])
            check_bytes(where, sum(table.nbytes for table in tables), stored, options.max_bytes)
        pa = need("pyarrow", "pyarrow", "study")
        columns = _with_classes(columns_of(pa.concat_tables(tables), where), first)
        if large is not None:
            datasets = need("datasets", "datasets", "huggingface")
            plain = [part.select_columns([large]).with_format(None) for part in kept.values()]
            vectors = datasets.concatenate_datasets(plain)[large]
            columns[large] = Column("arrays", Stream(vectors, what=f"vectors of {where}"))
    splits = None
    if len(kept) > 1:
        splits = np.repeat([str(words[w]) for w in kept], [len(table) for table in tables])
    if left:
        notes = (*roles.notes, f"The splits {', '.join(left)} were left out.")
        roles = roles._replace(notes=notes)
    return from_table(path, columns, roles, options, splits=splits, **facts)


def _with_classes(columns: dict[str, Any], part: Any) -> dict[str, Any]:
    """Columns with the names of classes that the dataset's features know."""
    names = {name: getattr(part.features.get(name), "names", None) for name in columns}
    return {
        name: column._replace(classes=tuple(known)) if (known := names[name]) else column
        for name, column in columns.items()
    }
