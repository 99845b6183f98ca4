"""Pairs of which one would be covered better by the other: what gains are made of."""

import numpy as np
from jaxtyping import Float

from lcrjax.pairwise.columns import KEPT_BYTES, Columns

#: Pairs that are kept, with their places and what it takes to update them.
MOST_PAIRS = KEPT_BYTES // 24
_AT_ONCE, _SAMPLE = 512, 64


def count_open(pool: Columns, covered: Float[np.ndarray, " n"]) -> float:
    """Estimate the number of pairs that are open, from a sample of elements."""
    n = len(pool)
    some = np.unique(np.linspace(0, n - 1, _SAMPLE).astype(np.int64))
    return float(n * (pool.columns(some) > covered[some, None]).sum(axis=1).mean())


class OpenPairs:
    """Elements i with Z_ij above what covers j, for each j; and so every element's exact gain.

    All pairs are looked at once. From then on a choice touches what it covers better alone: pairs
    close as more are chosen, about n² / k of them are open after k.

    Args:
        pool: n elements; their Z is symmetric.
        covered: How similar each is to the most similar chosen one.
        target: Their weights.
    """

    def __init__(
        self, pool: Columns, covered: Float[np.ndarray, " n"], target: Float[np.ndarray, " n"]
    ) -> None:
        n = len(pool)
        places = [np.arange(a, min(a + _AT_ONCE, n)) for a in range(0, n, _AT_ONCE)]
        found = [pool.above(some, covered[some]) for some in places]
        counts, self._who, self._z = (np.concatenate(x) for x in zip(*found, strict=True))
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._target, self._touched = target, 0
        more = (self._z - np.repeat(covered, counts)) * np.repeat(target, counts)
        self.gains = np.bincount(self._who, more, minlength=n)

    def cover(self, covered: Float[np.ndarray, " n"], row: Float[np.ndarray, " n"]) -> None:
        """Take from all gains what a chosen element, with its row of Z, covers better.

        Args:
            covered: As before; what it covers better is raised in place.
            row: Similarity of every element to it.
        """
        (better,) = np.nonzero(row > covered)
        starts, counts = self._starts[better], np.diff(self._starts)[better]
        before = np.concatenate([[0], np.cumsum(counts)])
        pairs = np.repeat(starts - before[:-1], counts) + np.arange(before[-1])
        lost = np.minimum(self._z[pairs], np.repeat(row[better], counts))
        lost = np.maximum(lost - np.repeat(covered[better], counts), 0)
        lost = lost * np.repeat(self._target[better], counts)
        self.gains -= np.bincount(self._who[pairs], lost, minlength=len(row))
        covered[better] = row[better]
        self._touched += len(pairs)
        if self._touched > len(self._z):
            self._close(covered)

    def _close(self, covered: Float[np.ndarray, " n"]) -> None:
        """Forget the pairs that are open no more."""
        still = self._z > np.repeat(covered, np.diff(self._starts))
        self._starts = np.concatenate([[0], np.cumsum(still)])[self._starts]
        self._z, self._who, self._touched = self._z[still], self._who[still], 0
