"""Facility location: every element of the pool has somebody chosen who is like it."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective
from lcrjax.selection.open_pairs import MOST_PAIRS, OpenPairs, count_open

_PAIRS_OF_EACH = 300  # open pairs of an element: with more, lazy evaluation is quicker


@dataclasses.dataclass(frozen=True)
class FacilityLocation(Objective):
    r"""Mean similarity of the target's elements to the most similar chosen one.

    $\sum_j u_j \max_{i \in S} Z_{ij}$ is submodular: an element adds the less the more are chosen,
    so that gains of before are bounds of those of now, and few have to be computed again.

    References:
        Nemhauser, Wolsey, Fisher (1978); Minoux (1978) for the lazy evaluation.
    """

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Facilities":
        """Begin with nothing."""
        return _Facilities(pool, target)


class _Facilities(Course):
    def __init__(self, pool: Columns, target: Float[np.ndarray, " n"]) -> None:
        self._pool, self._target = pool, target
        self._covered = np.zeros(len(pool), np.float32)
        self._chosen = 0
        self._open: OpenPairs | None = None
        self.gains = pool.ordinariness(target)
        self.fresh = np.ones(len(pool), bool)

    def add(self, i: int) -> None:
        row = self._pool.column(i)
        if self._open is not None:
            self._open.cover(self._covered, row)
        else:
            np.maximum(self._covered, row, out=self._covered)
            self.fresh[:] = False
            self._follow()
        self.value = float(self._target @ self._covered)

    def _follow(self) -> None:
        """Keep all gains exact from now on, once few enough pairs are open."""
        self._chosen += 1
        n = len(self._covered)
        most = min(MOST_PAIRS, _PAIRS_OF_EACH * n)
        likely = n * n / (self._chosen + 1)
        if likely < 4 * most and count_open(self._pool, self._covered) < most:
            self._open = OpenPairs(self._pool, self._covered, self._target)
            self.gains = self._open.gains
            self.fresh[:] = True

    def refine(self, some: Int[np.ndarray, " k"], soon: Int[np.ndarray, " m"]) -> None:
        self.gains[soon] = self._pool.gains(soon, self._covered, self._target)
        self.fresh[soon] = True
