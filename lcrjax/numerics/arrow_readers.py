"""Readers of columns of PyArrow's tables, files and datasets, and of Hugging Face datasets."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from lcrjax.numerics.arrow_lists import flattened, is_list, is_plain, stored
from lcrjax.numerics.readers import Lists, Reader, names_of, picked

_BATCH_BYTES = 2**21  # decoded at once
_BATCH = 1024  # elements, where nobody knows yet how large they are
_BUFFER = 2**20  # bytes of a file that are read at once


class Column:
    """Makes arrays of a column's parts, all of one shape.

    Attributes:
        name: Of the column.
        inner: Lengths of nested lists, once they are known.
        width: Bytes of an element, likewise.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.inner: tuple[int, ...] | None = None
        self.width: int | None = None

    def array(self, given: Any, at: int | Int[np.ndarray, " m"]) -> np.ndarray:
        """An array of the rows from a place on, or at some places.

        Raises:
            ValueError: If a value is missing, or lists have different lengths.
        """
        array = stored(given)
        flat = flattened(array, self.inner)
        if flat.row is not None:
            where = f"row {at + flat.row if isinstance(at, int) else at[flat.row]}"
            if flat.found is None:
                raise ValueError(f"column {self.name!r} lacks the list of {where}: fill it in")
            raise ValueError(
                f"column {self.name!r} has lists of different lengths, first in {where}: "
                "give equal ones"
            )
        if flat.values.null_count:
            bad = int(np.flatnonzero(flat.values.is_null().to_numpy(zero_copy_only=False))[0])
            row = bad // max(1, len(flat.values) // max(1, len(array)))
            where = f"row {at + row if isinstance(at, int) else at[row]}"
            raise ValueError(f"column {self.name!r} lacks numbers, first in {where}: fill them in")
        found = flat.values.to_numpy(zero_copy_only=False).reshape(flat.shape)
        if len(found):
            self.inner, self.width = flat.shape[1:], found[0].nbytes
        return found

    @property
    def batch(self) -> int:
        """Elements to decode at once."""
        return _BATCH if self.width is None else max(1, _BATCH_BYTES // max(1, self.width))


class Table:
    """A column of a table in memory, or of what answers to slices and places with tables."""

    def __init__(self, column: str, count: int, get: Callable[[Any], Any], *, fixed: bool) -> None:
        self._column, self.count, self._get, self.fixed = Column(column), count, get, fixed

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Slices, as they are stored."""

        def read() -> Iterator[Any]:
            for first in range(start, self.count, rows):
                at = first
                for chunk in self._get(slice(first, min(first + rows, self.count))).chunks:
                    if len(chunk):
                        yield self._column.array(chunk, at)
                    at += len(chunk)

        return start, read()

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """By index."""
        for i in range(0, len(index), rows):
            places = index[i : i + rows]
            for chunk in self._get(places.tolist()).chunks:
                own, places = np.split(places, [len(chunk)])
                if len(chunk):
                    yield self._column.array(chunk, own)


class _File(NamedTuple):
    """Row groups of a Parquet file, and how many rows these have."""

    opened: Callable[[], Any]
    groups: list[int]
    counts: list[int]


class RowGroups:
    """A column of Parquet files, of which row groups are read that hold what is wanted."""

    fixed = False

    def __init__(self, column: str, files: list[_File], kind: Any) -> None:
        self._column, self._files, self._kind = Column(column), files, kind
        self._ends = np.cumsum([sum(file.counts) for file in files])

    @property
    def count(self) -> int:
        """As the files say."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """From the row group on that holds the first."""
        for number, file in enumerate(self._files):
            before = int(self._ends[number]) - sum(file.counts)
            ends = before + np.cumsum(file.counts)
            if start < self._ends[number]:
                group = int(np.searchsorted(ends, start, side="right"))
                first = int(ends[group]) - file.counts[group]
                return first, self._read(number, group, first, rows)
        return self.count, iter(())

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """From the row groups that hold them."""
        for number, file in enumerate(self._files):
            counts, end = np.array(file.counts, np.int64), int(self._ends[number])
            before = end - int(counts.sum())
            mine = index[slice(*np.searchsorted(index, [before, end]))] - before
            if not len(mine):
                continue
            opened, ends = file.opened(), np.cumsum(counts)
            own = np.searchsorted(ends, mine, side="right")
            for group in np.unique(own):
                first = int(ends[group] - counts[group])
                batches = self._batches(opened, [file.groups[group]], before + first, rows)
                yield from picked(batches, mine[own == group] - first)

    def _read(self, number: int, group: int, at: int, rows: int) -> Iterator[Any]:
        for file in self._files[number:]:
            yield from self._batches(file.opened(), file.groups[group:], at, rows)
            at, group = at + sum(file.counts[group:]), 0

    def _batches(self, opened: Any, groups: list[int], at: int, rows: int) -> Iterator[Any]:
        size = max(1, min(rows, self._column.batch))
        options = {"row_groups": groups, "columns": [self._column.name], "use_threads": False}
        for batch in opened.iter_batches(size, **options):
            values = batch.column(0)
            if self._kind is not None and values.type != self._kind:
                values = values.cast(self._kind)
            if len(values):
                yield self._column.array(values, at)
            at += len(values)


class Scanned:
    """A column of any other dataset of PyArrow, read from its beginning."""

    fixed = False
    count = None

    def __init__(self, column: str, source: Any) -> None:
        self._column, self._source = Column(column), source

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Batches, of which few are read ahead."""

        def read() -> Iterator[Any]:
            at, size = 0, max(1, min(rows, self._column.batch))
            for batch in self._source.to_batches(
                columns=[self._column.name],
                batch_size=size,
                batch_readahead=1,
                fragment_readahead=1,
            ):
                if len(batch):
                    yield self._column.array(batch.column(0), at)
                at += len(batch)

        return 0, read()

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> None:
        """None: a pass finds them."""


def reader_of_arrow(source: Any, column: str | None, what: str) -> Reader:
    """A reader of a column of a table, a Parquet file or a dataset of PyArrow.

    Raises:
        ValueError: If it is none of these, or has no such column of lists.
    """
    import pyarrow as pa

    in_file = hasattr(source, "iter_batches") and hasattr(source, "schema_arrow")
    in_table = isinstance(source, pa.Table)
    if not (in_file or in_table or hasattr(source, "get_fragments")):
        raise ValueError(
            f"{what} are a {type(source).__name__} of pyarrow: give a pyarrow.dataset.dataset(...),"
            " a pyarrow.parquet.ParquetFile(...) or a pyarrow.table(...)"
        )
    schema = source.schema_arrow if in_file else source.schema
    if column is None or column not in schema.names:
        raise ValueError(
            f"the column of {what} is {column!r}: give one of {names_of(schema.names)}"
        )
    kind = schema.field(column).type
    if not is_list(_stored_kind(kind)):
        lists = [name for name in schema.names if is_list(_stored_kind(schema.field(name).type))]
        raise ValueError(
            f"the column of {what}, {column!r}, holds {kind}: give one of lists of numbers"
            + (f", such as {names_of(lists)}" if lists else "")
        )
    if in_table:
        values = source.column(column)

        def get(where: Any) -> Any:
            if isinstance(where, slice):
                return values.slice(where.start, where.stop - where.start)
            return values.take(pa.array(where))

        return Table(column, len(source), get, fixed=True)
    if in_file:
        counts = _counts(source.metadata)
        return RowGroups(column, [_File(lambda: source, list(range(len(counts))), counts)], None)
    files = _files(source, column)
    return Scanned(column, source) if files is None else RowGroups(column, files, kind)


def reader_of_column(source: Any, what: str) -> Reader:
    """A reader of a column of a Hugging Face dataset: of what Arrow stores, where that is it."""
    whole, name = getattr(source, "source", None), getattr(source, "column_name", None)
    form = getattr(whole, "format", {"type": "unknown"})
    if form["type"] in (None, "arrow", "numpy") and not form.get("format_kwargs"):
        dataset: Any = whole
        kind = inner = _stored_kind(dataset.data.schema.field(name).type)
        while is_list(inner):
            inner = inner.value_type
        if is_list(kind) and is_plain(inner):
            part = dataset.select_columns([name]).with_format("arrow")
            return Table(str(name), len(source), lambda where: part[where].column(0), fixed=False)
    return Lists(source, what)


def _stored_kind(kind: Any) -> Any:
    return getattr(kind, "storage_type", kind)


def _counts(metadata: Any) -> list[int]:
    return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]


def _files(source: Any, column: str) -> list[_File] | None:
    """The Parquet files of a dataset; None if it has others, or a filter.

    They are opened anew, since the dataset itself holds several times what it reads.
    """
    from pyarrow.parquet import ParquetFile

    try:
        fragments = list(source.get_fragments())
    except ValueError:  # of what has a filter
        return None
    found = []
    for fragment in fragments:
        groups = getattr(fragment, "row_groups", None)
        if groups is None or not fragment.path or column not in fragment.physical_schema.names:
            return None

        def opened(fragment: Any = fragment) -> Any:
            where = {"filesystem": fragment.filesystem}
            return ParquetFile(fragment.path, buffer_size=_BUFFER, pre_buffer=False, **where)

        found.append(_File(opened, [x.id for x in groups], [x.num_rows for x in groups]))
    return found
