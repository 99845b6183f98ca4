"""Coverage: the chosen as a model of the target, judged by cross-diversity."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective


@dataclasses.dataclass(frozen=True)
class Coverage(Objective):
    r"""Least cross-diversity of the target u, as seen from the chosen p, at viewpoint q.

    $M_{1-q}(u, 1 / (Zp))$ is small where every element of the target is ordinary among the chosen;
    over the target's own diversity it is its relative diversity. The value is minus its logarithm.
    For q < 2 sums over the chosen are submodular; the first bounds of all gains are one product
    $Z w$.

    Attributes:
        q: Viewpoint in [0, 2].

    References:
        Leinster and Roff (2021), for relative and cross diversity.
    """

    q: float = 1.0

    def __post_init__(self) -> None:
        """Check the viewpoint."""
        if not 0 <= self.q <= 2:
            raise ValueError(f"coverage is at q = {self.q:g}: give a viewpoint in [0, 2]")

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Covered":
        """Begin with nothing."""
        return _Covered(pool, target, self.q)


class _Covered(Course):
    def __init__(self, pool: Columns, target: Float[np.ndarray, " n"], q: float) -> None:
        self._pool, self._target, self._q = pool, target, q
        self._sums = np.zeros(len(pool))
        self._count = 0
        self.gains = pool.ordinariness(target)  # the first is the most ordinary
        self.fresh = np.ones(len(pool), bool)

    def add(self, i: int) -> None:
        first = not self._count
        self._sums += self._pool.column(i)
        self._count += 1
        self.value = self._value()
        if first:
            # f(s + z) - f(s) <= f'(s) z of a concave f.
            self.gains = self._pool.ordinariness(self._target * self._sums ** (self._q - 2))
        self.fresh[:] = False

    def refine(self, some: Int[np.ndarray, " k"], soon: Int[np.ndarray, " m"]) -> None:
        more = self._sums + self._pool.columns(some, soon)
        if self._q == 1:
            self.gains[some] = np.log(more / self._sums) @ self._target
        else:
            power = self._q - 1
            self.gains[some] = (more**power - self._sums**power) @ self._target / power
        self.fresh[some] = True

    def _value(self) -> float:
        zp, power = self._sums / self._count, self._q - 1
        used = self._target > 0
        if power == 0:
            return float(self._target[used] @ np.log(zp[used]))
        return float(np.log(self._target[used] @ zp[used] ** power) / power)
