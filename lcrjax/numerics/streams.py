"""Elements that are read block by block, again in every pass, and never lie in memory together."""

import math
import mmap
from collections.abc import Callable, Generator, Iterable, Iterator, MappingView, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from lcrjax.numerics.inputs import check_apart, numbers
from lcrjax.numerics.memory import copied
from lcrjax.numerics.sources import (
    BLOCK_BYTES,
    check_mapped,
    comes_from,
    is_column,
    is_large,
    is_sliced,
    memory_map,
    whole_refused,
)

_FEW = 16  # one of so many elements or less: the system would read more around each than it is
_PAGES = 1024  # elements taken from a memory map at once: the system maps pages around each


class Stream:
    """Elements on disk, or wherever they come from, as passes over blocks.

    A block is read ahead while the one before it is computed with. What is given is read again in
    each pass, and has to be the same each time.

    Attributes:
        what: Name in the plural, for errors.
        known: What passes have found out, under the name of whoever looked for it.
    """

    def __init__(self, source: Any, column: str | None = None, *, what: str = "elements"):
        """Take a source; nothing is read yet but its shape.

        Args:
            source: A memory map; an array of h5py or Zarr, or whatever else has a shape, a dtype
                and slices; a column of a Hugging Face dataset; a dataset or file of PyArrow, whose
                `column` holds lists of one size or numbers; an object that can be iterated over
                many times, such as a list, and gives blocks (m, ...); or a function that returns an
                iterator over them.
            column: Of PyArrow's.
            what: Name in the plural, for errors.

        Raises:
            ValueError: If it is none of these.
        """
        self.what, self.known = what, dict[str, Any]()
        self._source, self._fraction = source, False
        self._chunks: Callable[[int, int], Iterator[Any]] | None = None
        self._count: int | None = None
        self._like: tuple[tuple[int, ...], np.dtype] | None = None
        if isinstance(source, Iterator):
            raise ValueError(
                f"{what} are a {type(source).__name__}, which can be read only once: give a list "
                "of blocks, or a function that returns an iterator over them"
            )
        if comes_from(source, "pyarrow"):
            self._chunks = _of_arrow(source, column, what)
        elif column is not None:
            raise ValueError(f"{what} have no columns: leave out column={column!r}")
        elif is_sliced(source) or is_column(source):
            self._count = _length(source)
        elif callable(source):
            self._chunks = lambda start, rows: iter(source())
        elif isinstance(source, Iterable) and not isinstance(source, str | bytes | dict | set):
            check_apart(what, source)
            self._chunks = lambda start, rows: iter(source)
        else:
            raise ValueError(
                f"{what} are a {type(source).__name__}: give a memory map, an array of h5py or "
                "Zarr, or a list of blocks"
            )

    def __len__(self) -> int:
        """Number of elements; blocks are counted in the first pass over them."""
        if self._count is None:
            for _ in self.blocks(self.rows_at_once):
                pass
        return self._count or 0

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        return (len(self), *self._first()[0])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """Of the blocks."""
        return np.dtype(np.float32) if self._fraction else self._first()[1]

    @property
    def rows_at_once(self) -> int:
        """Elements of a block of usual size, in float32 or in a byte each."""
        shape, dtype = self._first()
        width = 1 if dtype.itemsize == 1 and not self._fraction else 4
        return max(1, BLOCK_BYTES // max(1, width * math.prod(shape)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Refuse to become an array.

        Raises:
            ValueError: Always.
        """
        raise whole_refused(self.what, self)

    def as_fractions(self) -> "Stream":
        """The same bytes as k/255."""
        other = Stream.__new__(Stream)
        other.__dict__.update(self.__dict__, known={}, _fraction=True)
        return other

    def chosen(self, which: Bool[np.ndarray, " n"]) -> "Stream":
        """Some of the elements in their order, as a stream of their own."""

        def pieces(start: int, rows: int) -> Iterator[Any]:
            at = 0
            for block in self._whole_blocks(self.rows_at_once, 0):
                yield block[which[at : at + len(block)]]
                at += len(block)

        if which.all():
            return self
        other = Stream.__new__(Stream)
        own = {"known": {}, "_chunks": pieces, "_source": None, "_count": int(which.sum())}
        other.__dict__.update(self.__dict__ | own)
        return other

    def blocks(
        self, rows: int, start: int = 0
    ) -> Generator[Shaped[np.ndarray, "m ..."], None, None]:
        """Go through the elements from a place on, so many at a time; the last block may be short.

        Raises:
            ValueError: If a block is no array of numbers, or has another shape or dtype than the
                first; or there are more or fewer elements than in an earlier pass, or the file of a
                memory map has become shorter (see `check_mapped`).
        """
        read = self._whole_blocks(rows, start)
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(next, read, None)
            while (block := coming.result()) is not None:
                coming = reader.submit(next, read, None)
                yield block / np.float32(255) if self._fraction else block

    def take(self, index: Int[np.ndarray, " m"]) -> Shaped[np.ndarray, "m ..."]:
        """Some elements by their places, in any order.

        Raises:
            ValueError: As `blocks` does.
        """
        out = np.empty((len(index), *self.shape[1:]), self.dtype)
        if isinstance(self._source, np.ndarray):
            if few := _FEW * len(index) < len(self):
                self._advise("MADV_RANDOM")
            for i in range(0, len(index), _PAGES):
                check_mapped(self.what, self._source)
                part = self._source[index[i : i + _PAGES]]
                out[i : i + _PAGES] = part / np.float32(255) if self._fraction else part
                self._forget()
            if few:
                self._advise("MADV_NORMAL")
            return out
        at, rows = 0, self.rows_at_once
        order = np.argsort(index, kind="stable")
        sought = index[order]
        for block in self.blocks(rows):
            here = slice(*np.searchsorted(sought, [at, at + len(block)]))
            out[order[here]] = block[sought[here] - at]
            at += len(block)
        return out

    def _whole_blocks(self, rows: int, start: int) -> Iterator[np.ndarray]:
        """Blocks of so many rows, put together from pieces of any number.

        Once elements are counted, a block is given only while they are as many, so that blocks of
        any two passes from one place on are of the same lengths.
        """
        parts: list[np.ndarray] = []
        held, at = 0, 0 if self._chunks else min(start, len(self))
        for number, given in enumerate(self._pieces(rows, start)):
            piece = self._checked(given, number)
            at += len(piece)
            if self._count is not None and at > self._count:
                self._counted(at)
            piece = piece[max(0, start - (at - len(piece))) :] if self._chunks else piece
            while held + len(piece) >= rows:
                own, piece = piece[: rows - held], piece[rows - held :]
                yield np.concatenate([*parts, own]) if parts else own
                parts, held = [], 0
            if len(piece):
                parts.append(piece)
                held += len(piece)
        self._counted(at)
        if parts:
            yield np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _pieces(self, rows: int, start: int) -> Iterator[Any]:
        if self._chunks is not None:
            yield from self._chunks(start, rows)
            return
        for at in range(start, len(self), rows):
            self._counted(_length(self._source))
            piece = self._source[at : min(at + rows, len(self))]
            if isinstance(self._source, np.ndarray):
                check_mapped(self.what, self._source)
                piece = copied(piece)
                self._forget()
            yield np.stack([np.asarray(x) for x in piece]) if isinstance(piece, list) else piece

    def _checked(self, given: Any, number: int) -> np.ndarray:
        name = f"block {number} of the {self.what}"
        block = np.asarray(numbers(name, given))
        if block.ndim < 1 or 0 in block.shape[1:]:
            raise ValueError(f"{name} has shape {block.shape}: give (m, ...), one row per element")
        found = (block.shape[1:], block.dtype)
        if self._like is None:
            self._like = found
        for what, wanted, own in zip(("shape", "dtype"), self._like, found, strict=True):
            if own != wanted:
                of = "elements of " if what == "shape" else ""
                raise ValueError(
                    f"{name} has {of}{what} {own}, and those before have {wanted}: give one {what}"
                )
        return block

    def _counted(self, count: int) -> None:
        if self._count is None:
            self._count = count
        elif count != self._count:
            raise ValueError(
                f"the {self.what} were {self._count:,} in one pass and {count:,} in the next: "
                "give a source that stays as it is"
            )

    def _first(self) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of an element."""
        if self._like is None:
            if self._chunks is None and len(self) == 0:
                raise ValueError(f"there are no {self.what}: give one at least")
            for piece in self._pieces(1, 0):
                self._checked(piece, 0)
                break
            else:
                raise ValueError(f"there are no blocks of {self.what}: give one at least")
        assert self._like is not None
        return self._like

    def _forget(self) -> None:
        """Let the system take back the pages of a memory map that were read."""
        found = memory_map(self._source)
        if found is not None and found.mode != "c":
            self._advise("MADV_DONTNEED")

    def _advise(self, advice: str) -> None:
        """Tell the system how the pages of a memory map are used, where it listens."""
        found = memory_map(self._source)
        if found is not None and hasattr(mmap, advice):
            found._mmap.madvise(getattr(mmap, advice))  # type: ignore[attr-defined]


def as_stream(given: Any) -> Any:
    """A `Stream` of what is read in blocks unless it is small; anything else as it is.

    That are memory maps, arrays of h5py and Zarr, columns of Hugging Face datasets, and objects
    that have a length and can be iterated over, but are no arrays, lists or tables: they hold
    blocks.
    """
    if isinstance(given, Stream):
        return given
    if is_large(given):
        return Stream(given)
    known = ("__array__", "__dlpack__", "to_numpy", "__getitem__", "detach", "keys")
    blocks = isinstance(given, Iterable) and hasattr(given, "__len__")
    if (
        blocks
        and not isinstance(given, Iterator | MappingView | Set | tuple)
        and not any(hasattr(given, name) for name in known)
    ):
        return Stream(given)
    return given


def _length(source: Any) -> int:
    return int(source.shape[0]) if is_sliced(source) else len(source)


def _of_arrow(source: Any, column: str | None, what: str) -> Callable[[int, int], Iterator[Any]]:
    """Passes over a column of a `pyarrow.dataset.Dataset` or `pyarrow.parquet.ParquetFile`."""
    read = getattr(source, "iter_batches", None) or getattr(source, "to_batches", None)
    schema = getattr(source, "schema_arrow", None) or getattr(source, "schema", None)
    if read is None or schema is None:
        raise ValueError(
            f"{what} are a {type(source).__name__} of pyarrow: give a pyarrow.dataset.dataset(...) "
            "or a pyarrow.parquet.ParquetFile(...)"
        )
    if column not in schema.names:
        raise ValueError(
            f"the column of {what} is {column!r}: give one of {', '.join(map(repr, schema.names))}"
        )

    def chunks(start: int, rows: int) -> Iterator[Any]:
        for batch in read(batch_size=max(1, rows), columns=[column]):
            values = batch.column(0)
            flat = getattr(values, "flatten", None)
            if not len(values):
                continue
            if flat is None or not hasattr(values.type, "value_type"):
                yield values.to_numpy(zero_copy_only=False)
                continue
            if values.null_count:
                raise ValueError(
                    f"column {column!r} lacks {values.null_count} values: fill them in"
                )
            whole = flat().to_numpy(zero_copy_only=False)
            if len(whole) % len(values):
                raise ValueError(
                    f"column {column!r} has lists of different lengths: give equal ones"
                )
            yield whole.reshape(len(values), -1)

    return chunks
