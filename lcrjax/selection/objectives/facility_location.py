"""Facility location: every element of the pool has somebody chosen who is like it."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective


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
        self.gains = pool.ordinariness(target)
        self.fresh = np.ones(len(pool), bool)

    def add(self, i: int) -> None:
        np.maximum(self._covered, self._pool.column(i), out=self._covered)
        self.value = float(self._target @ self._covered)
        self.fresh[:] = False

    def refine(self, some: Int[np.ndarray, " k"], soon: Int[np.ndarray, " m"]) -> None:
        more = np.maximum(self._pool.columns(some, soon) - self._covered, 0)
        self.gains[some] = more @ self._target
        self.fresh[some] = True
