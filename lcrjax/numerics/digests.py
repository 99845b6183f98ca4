"""Whether later passes over elements give the same ones, in the same order."""

import functools
import zlib

import numpy as np
from jaxtyping import Shaped, UInt

#: Elements that have one checksum together.
TOGETHER = 1024
_LEAST = 64  # bytes of an element from which on one number for it takes less time than they do


class Digests:
    """Checksums of elements, by their places, as passes find them.

    Attributes:
        known: The checksum of elements from each multiple of `TOGETHER` on, up to the next.
    """

    def __init__(self) -> None:
        self.known: dict[int, int] = {}

    def follow(self, what: str, start: int) -> "Pass":
        """A pass from a place on, of elements that errors call so."""
        return Pass(self.known, what, start)


class Pass:
    """One pass: it is told what it has read, in order."""

    def __init__(self, known: dict[int, int], what: str, start: int) -> None:
        self._known, self._what, self._at = known, what, start
        self._sum: int | None = None  # none before a multiple of `TOGETHER`

    def see(self, block: Shaped[np.ndarray, "m ..."]) -> None:
        """Look at the next elements.

        Raises:
            ValueError: If an earlier pass gave others.
        """
        own = _rows(block) if len(block) else block
        while len(own):
            if self._at % TOGETHER == 0:
                self._sum = 0
            part, own = np.split(own, [TOGETHER - self._at % TOGETHER])
            self._at += len(part)
            if self._sum is not None:
                self._sum = zlib.crc32(part.data, self._sum)
            if self._at % TOGETHER == 0:
                self._compare((self._at - 1) // TOGETHER)

    def end(self) -> None:
        """Say that these were the last.

        Raises:
            ValueError: If an earlier pass gave others.
        """
        if self._at % TOGETHER:
            self._compare(self._at // TOGETHER)

    def _compare(self, group: int) -> None:
        if self._sum is None or self._known.setdefault(group, self._sum) == self._sum:
            return
        first = group * TOGETHER
        raise ValueError(
            f"{self._what} {first:,} to {self._at - 1:,} are others than in an earlier pass: give "
            "a source that has the same ones in the same order each time"
        )


def _rows(block: Shaped[np.ndarray, "m ..."]) -> Shaped[np.ndarray, "m d"]:
    """A number for each element, by its bytes; the bytes where they are few or no words."""
    size = block[:1].nbytes
    flat = np.ascontiguousarray(block).reshape(len(block), -1).view(np.uint8)
    if size % 8 or size < _LEAST:
        return flat
    return np.einsum("id,d->i", flat.view(np.uint64), _odd(size // 8))[:, None]


@functools.lru_cache(maxsize=4)
def _odd(count: int) -> UInt[np.ndarray, " d"]:
    return np.random.default_rng(0).integers(0, 2**63, count, np.uint64) * np.uint64(2) + 1
