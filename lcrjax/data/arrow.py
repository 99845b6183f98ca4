"""Columns of Arrow tables, as Parquet files and Hugging Face datasets have them."""

import json
from typing import Any

import numpy as np

from lcrjax.data.columns import Column
from lcrjax.data.errors import DataError, need


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
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
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
    if _is_list(types, kind):
        return _array(pa, array, name, where)
    return Column("others", np.empty(len(array), object))


def _pictures(contents: list[Any], paths: list[Any]) -> Column:
    values = np.empty((len(contents), 2), object)
    values[:, 0], values[:, 1] = contents, paths
    return Column("pictures", values)


def _is_list(types: Any, kind: Any) -> bool:
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _array(pa: Any, array: Any, name: str, where: str) -> Column:
    """Nested lists of one shape as one array; lists of other shapes are "others"."""
    rows, shape = len(array), [len(array)]
    while _is_list(pa.types, array.type):
        lengths = need("pyarrow.compute", "pyarrow", "study").list_value_length(array)
        if array.null_count:
            place = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
            raise DataError(
                f"the column {name!r} of {where} lacks the list of row "
                f"{place // max(1, len(array) // max(1, rows))}: fill it in, or leave the row out."
            )
        distinct = lengths.unique()
        if len(distinct) > 1:
            return Column("others", np.empty(rows, object))
        shape.append(distinct[0].as_py() if len(distinct) else 0)
        array = array.flatten()
    types = pa.types
    if not (types.is_integer(array.type) or types.is_floating(array.type)):
        return Column("others", np.empty(rows, object))
    values = array.to_numpy(zero_copy_only=False)  # a missing number becomes NaN, refused later
    return Column("arrays", values.reshape(shape))


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
