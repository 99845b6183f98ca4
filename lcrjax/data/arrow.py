"""Columns of Arrow tables, as Parquet files and Hugging Face datasets have them."""

import json
from typing import Any

import numpy as np

from lcrjax.data.columns import Column
from lcrjax.data.errors import DataError, need
from lcrjax.numerics.arrow_lists import flattened, is_list, is_plain, stored


def columns_of(table: Any, where: str) -> dict[str, Column]:
    """Return all columns of a `pyarrow.Table`.

    Structs of `bytes` and `path` and plain binary are pictures; lists of one length are arrays.
    Classes' names come from the metadata that the `datasets` package writes.

    Raises:
        DataError: If a list holds missing numbers.
    """
    classes = _class_names(table.schema.metadata)
    return {
        name: _column(table.column(name), name, where)._replace(classes=classes.get(name))
        for name in table.column_names
    }


def _column(chunked: Any, name: str, where: str) -> Column:
    pa = need("pyarrow", "pyarrow", "study")
    types = pa.types
    array = chunked.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    array = stored(array)
    kind = array.type
    if types.is_struct(kind) and "bytes" in (fields := [field.name for field in kind]):
        contents = array.field("bytes").to_pylist()
        paths = array.field("path").to_pylist() if "path" in fields else [None] * len(array)
        return _pictures(contents, paths)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return _pictures(array.to_pylist(), [None] * len(array))
    if types.is_string(kind) or types.is_large_string(kind):
        return Column("words", np.array(array.to_pylist(), dtype=object))
    if types.is_decimal(kind):
        array = array.cast(pa.float64())
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(array.type):
        if array.null_count:  # as NaN, to be refused by place
            array = array.cast(pa.float64(), safe=False)
        return Column("numbers", array.to_numpy(zero_copy_only=False))
    if is_list(kind):
        return _array(array, name, where)
    return Column("others", np.empty(len(array), object))


def _pictures(contents: list[Any], paths: list[Any]) -> Column:
    values = np.empty((len(contents), 2), object)
    values[:, 0], values[:, 1] = contents, paths
    return Column("pictures", values)


def _array(array: Any, name: str, where: str) -> Column:
    """Nested lists of one shape as one array; lists of other shapes are "others"."""
    flat = flattened(array)
    none = Column("others", np.empty(len(array), object))
    if flat.row is not None and flat.found is None:
        raise DataError(
            f"the column {name!r} of {where} lacks the list of row {flat.row}: fill it in, or "
            "leave the row out."
        )
    if flat.row is not None:
        return none._replace(why=f"has lists of different lengths, first in row {flat.row}")
    if not is_plain(flat.values.type) or flat.values.type == "bool":
        return none
    values = flat.values.to_numpy(zero_copy_only=False)  # a missing number becomes NaN
    return Column("arrays", values.reshape(flat.shape))


def _class_names(metadata: Any) -> dict[str, tuple[str, ...]]:
    """Names of classes of each column that has some, from metadata of anybody's making."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {
            str(column): tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
