"""Readers: what a stream asks of a source, whatever that is."""

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from lcrjax.numerics.memory import copied
from lcrjax.numerics.sources import check_mapped, memory_map

#: One of so many elements or less: each is read by itself.
FEW = 16
_PAGES = 1024  # elements taken from a memory map at once: the system maps pages around each


@runtime_checkable
class Reader(Protocol):
    """Reads elements in pieces (m, ...), of any number.

    Attributes:
        fixed: Whether nothing can change the elements between two passes.
    """

    fixed: bool

    @property
    def count(self) -> int | None:
        """Number of elements, where it is known before they are read."""
        ...

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Pieces of at most so many rows, where that can be chosen, and the place of the first.

        That place is `start`, or one before it where a source has to be read from there.
        """
        ...

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any] | None:
        """The elements at ascending places in pieces; None where they are found in a pass only."""
        ...


class Arrays:
    """Arrays of NumPy, in memory or mapped into it."""

    def __init__(self, source: np.ndarray, what: str) -> None:
        self.source, self.what = source, what
        self.fixed = memory_map(source) is None

    @property
    def count(self) -> int:
        """Its length."""
        return len(self.source)

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Slices, copied, so that pages of a map can be given back."""

        def read() -> Iterator[Any]:
            for at in range(start, self.count, rows):
                check_mapped(self.what, self.source)
                piece = copied(self.source[at : at + rows])
                self._forget()
                yield piece

        return start, read()

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """By index."""
        if few := FEW * len(index) < self.count:
            self._advise("MADV_RANDOM")
        for i in range(0, len(index), _PAGES):
            check_mapped(self.what, self.source)
            piece = self.source[index[i : i + _PAGES]]
            self._forget()
            yield piece
        if few:
            self._advise("MADV_NORMAL")

    def _forget(self) -> None:
        """Let the system take back the pages of a memory map that were read."""
        found = memory_map(self.source)
        if found is not None and found.mode != "c":
            self._advise("MADV_DONTNEED")

    def _advise(self, advice: str) -> None:
        """Tell the system how the pages of a memory map are used, where it listens."""
        found = memory_map(self.source)
        if found is not None and hasattr(mmap, advice):
            found._mmap.madvise(getattr(mmap, advice))  # type: ignore[attr-defined]


class Slices:
    """What has a shape, a dtype and slices, such as arrays of h5py and Zarr."""

    fixed = False

    def __init__(self, source: Any) -> None:
        self.source = source

    @property
    def count(self) -> int:
        """Its length."""
        return int(self.source.shape[0])

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Slices."""
        end = self.count
        return start, (self.source[i : min(i + rows, end)] for i in range(start, end, rows))

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """Slices from the first to the last of neighbours, and of those in one chunk on disk.

        A chunk is read as a whole anyway. Many elements are read with what lies between them.
        """
        chunks = getattr(self.source, "chunks", None) or (1,)
        chunk = chunks[0] if isinstance(chunks[0], int) else 1
        if FEW * len(index) >= self.count:
            chunk = max(chunk, rows)
        near = (np.diff(index) <= 1) | (np.diff(index // chunk) == 0)
        for run in np.split(index, np.flatnonzero(~near) + 1):
            while len(run):
                its, run = np.split(run, [np.searchsorted(run, run[0] + rows)])
                found = np.asarray(self.source[int(its[0]) : int(its[-1]) + 1])
                yield found if len(found) == len(its) else found[its - its[0]]


class Lists:
    """A sequence whose slices are lists of elements, such as a formatted Hugging Face column."""

    fixed = False

    def __init__(self, source: Any, what: str) -> None:
        self.source, self.what = source, what

    @property
    def count(self) -> int:
        """Its length."""
        return len(self.source)

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """Slices."""
        end = self.count
        steps = (np.arange(i, min(i + rows, end)) for i in range(start, end, rows))
        return start, (self._stacked(self.source[i[0] : i[-1] + 1], i) for i in steps)

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> Iterator[Any]:
        """By index."""
        steps = (index[i : i + rows] for i in range(0, len(index), rows))
        return (self._stacked(self.source[its.tolist()], its) for its in steps)

    def _stacked(self, found: Any, index: Int[np.ndarray, " m"]) -> Any:
        if not isinstance(found, list):
            return found
        try:
            arrays = [np.asarray(x) for x in found]
        except ValueError as error:  # of one that is ragged in itself
            raise ValueError(
                f"{self.what} have rows of different lengths: give equal ones"
            ) from error
        for place, own in zip(index, arrays, strict=True):
            if own.shape != arrays[0].shape:
                raise ValueError(
                    f"element {place} of the {self.what} has shape {own.shape}, and element "
                    f"{index[0]} has {arrays[0].shape}: give one shape"
                )
        return np.stack(arrays)


class Blocks:
    """What gives blocks in each pass, from the first on."""

    fixed = False
    count = None

    def __init__(self, again: Callable[[], Iterable[Any]]) -> None:
        self.again = again

    def pieces(self, start: int, rows: int) -> tuple[int, Iterator[Any]]:
        """The blocks as they are."""
        return 0, iter(self.again())

    def take(self, index: Int[np.ndarray, " m"], rows: int) -> None:
        """None: a pass finds them."""


def picked(pieces: Iterable[Any], index: Int[np.ndarray, " m"]) -> Iterator[Any]:
    """What of pieces that follow each other lies at ascending places."""
    at = 0
    for piece in pieces:
        here = index[slice(*np.searchsorted(index, [at, at + len(piece)]))]
        if len(here):
            yield piece[here - at]
        at += len(piece)


def names_of(found: Sequence[Any]) -> str:
    """Some names in an error."""
    return ", ".join(map(repr, list(found)[:6])) + ", ..." * (len(found) > 6)
