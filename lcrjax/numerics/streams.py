"""Elements that are read block by block, again in every pass, and never lie in memory together."""

import math
from collections.abc import Generator, Iterable, Iterator, MappingView, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from lcrjax.numerics.arrow_readers import reader_of_arrow, reader_of_column
from lcrjax.numerics.digests import Digests
from lcrjax.numerics.inputs import check_apart, numbers
from lcrjax.numerics.readers import Arrays, Blocks, Reader, Slices, names_of, picked
from lcrjax.numerics.sources import (
    BLOCK_BYTES,
    comes_from,
    is_column,
    is_large,
    is_sliced,
    whole_refused,
)


class Stream:
    """Elements on disk, or wherever they come from, as passes over blocks.

    A block is read ahead while the one before it is computed with. What is given is read again in
    each pass, and has to be the same each time: checksums of `TOGETHER` elements each are compared
    (`lcrjax.numerics.digests`).

    Attributes:
        what: Name in the plural, for errors.
        known: What passes have found out, under the name of whoever looked for it.
    """

    def __init__(self, source: Any, column: str | None = None, *, what: str = "elements"):
        """Take a source; nothing is read yet but its shape.

        Args:
            source: A memory map; an array of h5py or Zarr, or whatever else has a shape, a dtype
                and slices; a column of a Hugging Face dataset; a dataset, Parquet file or table of
                PyArrow, whose `column` holds lists of one length; an object that can be iterated
                over many times, such as a list, and gives blocks (m, ...); or a function that
                returns an iterator over them.
            column: Of PyArrow's.
            what: Name in the plural, for errors.

        Raises:
            ValueError: If it is none of these.
        """
        self.what, self.known = what, dict[str, Any]()
        self._reader, self._fraction = _reader(source, column, what), False
        self._digests = None if self._reader.fixed else Digests()
        self._count = self._reader.count
        self._like: tuple[tuple[int, ...], np.dtype] | None = None

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
        if which.all():
            return self
        reader = _Chosen(self, np.flatnonzero(which))
        own = {"known": {}, "_reader": reader, "_digests": None, "_count": reader.count}
        other = Stream.__new__(Stream)
        other.__dict__.update(self.__dict__ | own)
        return other

    def blocks(
        self, rows: int, start: int = 0
    ) -> Generator[Shaped[np.ndarray, "m ..."], None, None]:
        """Go through the elements from a place on, so many at a time; the last block may be short.

        Raises:
            ValueError: If a block is no array of numbers, or has another shape or dtype than the
                first; there are more or fewer elements than in an earlier pass, or others; or the
                file of a memory map has become shorter (see `check_mapped`).
        """
        for block in self._read_ahead(rows, start):
            yield block / np.float32(255) if self._fraction else block

    def take(self, index: Int[np.ndarray, " m"]) -> Shaped[np.ndarray, "m ..."]:
        """Some elements by their places, in any order.

        Others are read only where the source cannot be asked for these: blocks in one pass, of
        Parquet the row groups that hold some, of h5py and Zarr the chunks.

        Raises:
            ValueError: As `blocks` does.
        """
        out = np.empty((len(index), *self._first()[0]), self.dtype)
        order = np.argsort(index, kind="stable")
        every, sought = index[order], np.unique(index)
        for part in self._some(sought):
            own, sought = np.split(sought, [len(part)])
            here = slice(
                np.searchsorted(every, own[0]), np.searchsorted(every, own[-1], side="right")
            )
            found = part[np.searchsorted(own, every[here])]
            out[order[here]] = found / np.float32(255) if self._fraction else found
        return out

    def _read_ahead(self, rows: int, start: int) -> Iterator[np.ndarray]:
        """Blocks, of which the next is read while one is computed with."""
        read = self._whole_blocks(rows, start)
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(next, read, None)
            while (block := coming.result()) is not None:
                coming = reader.submit(next, read, None)
                yield block

    def _some(self, index: Int[np.ndarray, " m"]) -> Iterator[np.ndarray]:
        """Elements at ascending places, in pieces."""
        if not len(index):
            return
        found = self._reader.take(index, self.rows_at_once)
        if found is None:
            yield from picked(self._read_ahead(self.rows_at_once, 0), index)
        else:
            yield from (self._checked(given, number) for number, given in enumerate(found))

    def _whole_blocks(self, rows: int, start: int) -> Iterator[np.ndarray]:
        """Blocks of so many rows, put together from pieces of any number.

        Once elements are counted, a block is given only while they are as many, so that blocks of
        any two passes from one place on are of the same lengths.
        """
        if self._reader.count is not None:
            self._counted(self._reader.count)
        at, pieces = self._reader.pieces(min(start, self._count or start), rows)
        seen = self._digests and self._digests.follow(self.what, at)
        room: np.ndarray | None = None
        held = 0
        for number, given in enumerate(pieces):
            piece = self._checked(given, number)
            at += len(piece)
            if self._count is not None and at > self._count:
                self._counted(at)
            if seen:
                seen.see(piece)
                if at == self._count:
                    seen.end()
            before = at - len(piece)
            piece = piece[max(0, start - before) :]
            while len(piece):
                if room is None and len(piece) >= rows:
                    own, piece = piece[:rows], piece[rows:]
                    yield own
                    continue
                own, piece = piece[: rows - held], piece[rows - held :]
                if room is None or held + len(own) > len(room):
                    left = 2 * (held + len(own)) if self._count is None else self._count - start
                    former, room = room, np.empty((min(rows, left), *own.shape[1:]), own.dtype)
                    if former is not None:
                        room[:held] = former[:held]
                room[held : held + len(own)] = own
                held += len(own)
                if held == rows:
                    yield room
                    room, held = None, 0
        self._counted(at)
        if seen:
            seen.end()
        if room is not None:
            yield room[:held]

    def _checked(self, given: Any, number: int) -> np.ndarray:
        name = f"block {number} of the {self.what}"
        block = np.asarray(numbers(name, given))
        if block.ndim < 2 or 0 in block.shape[1:]:
            raise ValueError(
                f"{name} has shape {block.shape}: give (m, ...), m elements, such as vectors (m, d)"
            )
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
            if self._count == 0:
                raise ValueError(f"there are no {self.what}: give one at least")
            for piece in self._reader.pieces(0, 1)[1]:
                self._checked(piece, 0)
                break
            else:
                raise ValueError(f"there are no blocks of {self.what}: give one at least")
        assert self._like is not None
        return self._like


class _Chosen:
    """Some of the elements of a stream."""

    fixed = True  # the stream itself looks

    def __init__(self, whole: Stream, places: Int[np.ndarray, " k"]) -> None:
        self._whole, self._places, self.count = whole, places, len(places)

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """What of the stream's blocks is among them."""
        if start >= self.count:
            return self.count, iter(())
        first = int(self._places[start])
        blocks = self._whole._whole_blocks(self._whole.rows_at_once, first)
        return start, picked(blocks, self._places[start:] - first)

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """As the stream takes them."""
        return self._whole._some(self._places[index])


def _reader(source: Any, column: str | None, what: str) -> Reader:
    """What reads a source.

    Raises:
        ValueError: If nothing does; the text says what to give.
    """
    if isinstance(source, Iterator):
        raise ValueError(
            f"{what} are a {type(source).__name__}, which can be read only once: give a list "
            "of blocks, or a function that returns an iterator over them"
        )
    if comes_from(source, "pyarrow"):
        return reader_of_arrow(source, column, what)
    name = type(source).__name__
    if hasattr(source, "column_names") and comes_from(source, "datasets"):
        known = names_of([*source.column_names])
        raise ValueError(f"{what} are a {name} of datasets: give one of its columns, {known}")
    if column is not None:
        raise ValueError(f"{what} have no columns: leave out column={column!r}")
    if is_column(source):
        return reader_of_column(source, what)
    if is_sliced(source):
        if len(source.shape) < 2:
            raise ValueError(
                f"{what} have shape {tuple(source.shape)}: give (n, ...), such as (n, d) of vectors"
            )
        return Arrays(source, what) if isinstance(source, np.ndarray) else Slices(source)
    if hasattr(source, "to_numpy"):
        raise ValueError(
            f"{what} are a {name}, which memory holds: give it without a Stream, or a list of "
            "blocks (m, ...)"
        )
    if hasattr(source, "keys"):
        raise ValueError(
            f"{what} are a {name}, which holds arrays by their names: give one of them, "
            f"{names_of([*source.keys()])}"
        )
    if callable(source):
        return Blocks(source)
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | dict | set):
        check_apart(what, source)
        return Blocks(lambda: source)
    raise ValueError(
        f"{what} are a {name}: give a memory map, an array of h5py or Zarr, or a list of blocks"
    )


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
