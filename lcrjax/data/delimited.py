"""Tables of text: CSV, TSV and their kin."""

import csv
import io
import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lcrjax.data.columns import Column, Roles, choose_roles, label_of
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, reading
from lcrjax.data.options import Options
from lcrjax.data.table import from_table

#: What such files are called.
SUFFIXES = (".csv", ".tsv", ".tab")
_ADVICE = "save it as CSV in UTF-8, with a line of column names"
_HEAD = 1000
_MOST_COLUMNS = 100_000
_LONGEST_LINE = 2**24
_SOME = 2**16
#: As NumPy prints an array of more than 1,000 numbers: it begins so, and three dots follow.
_PRINTED, _CUT = re.compile(r"\[\s*[-+\d.]"), " ... "
_COMMA, _POINT = (
    re.compile(rb"(?<![\d,.])\d+,\d+(?![\d,.])"),
    re.compile(rb"(?<![\d,.])\d+\.\d+(?![\d,.])"),
)
#: Cells that are missing numbers; words are never missing, "None" and "NA" can be classes.
_MISSING = ["", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "null", "NULL", "None", "?", "<NA>"]
_ONE = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
#: "[0.1, 0.2]", or three numbers and more without brackets: "70 80 82".
_LIST = re.compile(rf"[\[(]\s*{_ONE}(?:[,\s]\s*{_ONE})*[,\s]*[\])]|\s*{_ONE}(?:\s+{_ONE}){{2,}}\s*")


def load_delimited(named: str | Path, options: Options) -> Dataset:
    """Load a CSV or TSV file: names of image files, texts, numbers or mixed columns, with labels.

    Columns are those that the options name, or that have usual names (`lcrjax.data.columns`).
    Files are looked for beside the table. Columns of numbers are vectors, one of text is texts,
    several of mixed kinds are rows.

    Raises:
        DataError: A ValueError, if it is no such table, a column or a file is not there, or a
            value is missing.
    """
    path = Path(named)
    with reading(path, _ADVICE):
        layout = _layout(path)
        head = _head(path, layout)
        roles = choose_roles(head, options, str(path))
        columns = _full(path, layout, roles, head)
    if roles.kind == "vectors" and any(columns[c].kind != "numbers" for c in roles.elements):
        roles = roles._replace(kind="rows")  # later rows hold words
    return from_table(path, columns, roles, options)


def read_column(path: Path, column: str | None, count: int) -> Column:
    """Read one column of a CSV or TSV file, which may lack a line of names where it has no other.

    Args:
        path: The file.
        column: The column's name; None takes the only one, or that of labels by its name.
        count: Number of rows that it must have.

    Raises:
        DataError: If it is no such table, or has no such column.
    """
    with reading(path, _ADVICE):
        layout = _layout(path)
        head = _head(path, layout)
        chosen = label_of(head, column, str(path))
        values = _read(path, layout, usecols=[chosen], dtype=object)[chosen].to_numpy(object)
        if column is None and len(head) == 1 and len(values) == count - 1:
            values = np.concatenate([np.array([chosen], object), values])  # no line of names
    return Column("words", values)


class _Layout(NamedTuple):
    """Delimiter, names of columns where the file has no line of them, and decimal sign."""

    delimiter: str
    names: list[str] | None
    decimal: str


def _layout(path: Path) -> _Layout:
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: give the path of a table.")
    with path.open("rb") as stream:
        line = stream.readline(_LONGEST_LINE)
        some = stream.read(_SOME)
    if len(line) >= _LONGEST_LINE:
        raise DataError(f"the first line of {path} is too long: {_ADVICE}.")
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        raise DataError(f"{path} is no text in UTF-8: {_ADVICE}.")
    text = line.decode("utf-8-sig").strip("\r\n")
    if not text.strip():
        raise DataError(f"{path} begins with an empty line: {_ADVICE}.")
    delimiter = max("\t,;|", key=text.count)
    # Where commas are decimal signs, as in many countries, another sign parts the cells.
    comma = delimiter != "," and _COMMA.search(some) and not _POINT.search(some)
    decimal = "," if comma else "."
    cells = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    if len(cells) > _MOST_COLUMNS:
        raise DataError(
            f"{path} has {len(cells):,} columns, more than {_MOST_COLUMNS:,}: save it as .npy."
        )
    numbers = [cell for cell in cells if _is_number(cell)]
    counted = [str(i) for i in range(len(numbers))]
    if numbers and numbers not in (counted, [str(i + 1) for i in range(len(numbers))]):
        return _Layout(delimiter, list(map(str, range(len(cells)))), decimal)
    if repeated := [cell for cell in set(cells) if cell and cells.count(cell) > 1][:1]:
        raise DataError(f"{path} has several columns {repeated[0]!r}: give each a name of its own.")
    return _Layout(delimiter, None, decimal)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read(path: Path, layout: _Layout, **options: Any) -> Any:
    """Read a table with cells as they are written, but for what options say."""
    import pandas as pd

    shape: dict[str, Any] = {"sep": layout.delimiter, "decimal": layout.decimal}
    shape |= {"names": layout.names, "header": None if layout.names else 0, "index_col": False}
    plain: dict[str, Any] = {"keep_default_na": False, "low_memory": False}
    plain |= {"encoding": "utf-8-sig", "skipinitialspace": True}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # it would drop cells
        return pd.read_csv(path, **shape, **plain, **options)


def _head(path: Path, layout: _Layout) -> dict[str, Column]:
    """The first rows; columns of numbers as numbers, where all but missing cells are some."""
    import pandas as pd

    frame = _read(path, layout, nrows=_HEAD, dtype=object)
    for name in frame:
        present = frame[name].where(~frame[name].isin(_MISSING))
        if layout.decimal == ",":
            present = present.str.replace(",", ".")
        numbers = pd.to_numeric(present, errors="coerce")
        if present.notna().any() and (numbers.notna() == present.notna()).all():
            frame[name] = numbers.astype(np.float64)
    return _columns(frame)


def _full(path: Path, layout: _Layout, roles: Roles, head: dict[str, Column]) -> dict[str, Column]:
    """All rows of the columns that have a role."""
    words = {roles.label, roles.split, roles.group, roles.name}
    numbers = [c for c in roles.used() if c not in words and head[c].kind == "numbers"]
    types = {name: object for name in roles.used() if name not in numbers}
    missing = dict.fromkeys(numbers, _MISSING)
    return _columns(_read(path, layout, usecols=roles.used(), dtype=types, na_values=missing))


def _columns(frame: Any) -> dict[str, Column]:
    columns = {}
    for name in frame:
        series = frame[name]
        if series.dtype.kind in "iufb":
            columns[str(name)] = Column("numbers", series.to_numpy())
            continue
        values = series.to_numpy(dtype=object)
        columns[str(name)] = _listed_numbers(values) or Column("words", values)
    return columns


def _listed_numbers(values: np.ndarray) -> Column | None:
    """Cells such as "70 80 82" or "[0.1, 0.2]" as vectors; None where they are no such lists."""
    some = [value for value in values[:10] if isinstance(value, str)]
    if some and all(_PRINTED.match(value) and _CUT in value for value in some):
        raise DataError(
            f"cells such as {some[0][:30]!r} were cut short where '...' stands, as NumPy prints "
            "long arrays: save them as Parquet or .npy."
        )
    if not some or len(some) < len(values[:10]) or not all(map(_LIST.fullmatch, some)):
        return None
    try:
        rows = [np.array(re.split(r"[,\s]+", v.strip("[](), \t\n")), np.float64) for v in values]
    except (ValueError, AttributeError):
        return None
    if odd := next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), 0):
        return Column("others", values, why=f"has lists of different lengths, first in row {odd}")
    return Column("arrays", np.stack(rows))
