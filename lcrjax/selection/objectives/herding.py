"""Kernel herding: elements that together stand for all of them, and for nothing twice."""

import dataclasses
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from lcrjax.pairwise.columns import AT_ONCE, Columns
from lcrjax.selection.objectives.base import Course, Objective

_BEST = 256  # elements among which those that follow are foreseen
_TRIED = 11  # elements likely to be tried in the next exchange; a kernel takes twelve at a time
_MANY = 2**14  # elements of which a single column takes long


@dataclasses.dataclass(frozen=True)
class Herding(Objective):
    r"""Least discrepancy $(p - u)' Z (p - u)$ of the chosen, p, from the target, u.

    $p'Zp = 1 / D_2$ is the chosen elements' own concentration at q = 2, and $p'Zu$ their mean
    ordinariness in the target: a diverse selection of ordinary elements. The value is minus the
    discrepancy (the squared maximum mean discrepancy of kernel methods). Elements are chosen one
    by one, then exchanged while that lowers it, and put in an order whose prefixes are good too.

    References:
        Chen, Welling, Smola (2010), Super-samples from kernel herding. Leinster and Cobbold (2012)
        for D_2.
    """

    exchanged: ClassVar[bool] = True

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Herd":
        """Begin with nothing."""
        return _Herd(pool, target)


class _Herd(Course):
    def __init__(self, pool: Columns, target: Float[np.ndarray, " n"]) -> None:
        self._pool = pool
        self._wanted = pool.ordinariness(target)
        self._own = float(target @ self._wanted)
        self._sums = np.zeros(len(pool))  # of similarities to the chosen
        self._count, self._pairs, self._ordinary = 0, 0.0, 0.0
        self._exchanging = False
        self.fresh = np.ones(len(pool), bool)
        self._update()

    def add(self, i: int) -> None:
        self._step(i, 1)

    def remove(self, i: int) -> None:
        self._exchanging = True
        self._step(i, -1)

    def _step(self, i: int, sign: int) -> None:
        soon = None if self._pool.has(i) else self._foreseen(i)
        column = self._pool.columns(np.array([i]), soon)[0]
        # Before it is there, or once it is gone, its pairs with the others and with itself.
        others = self._sums[i] - (column[i] if sign < 0 else 0)
        self._pairs += sign * (2 * others + column[i])
        self._ordinary += sign * self._wanted[i]
        self._count += sign
        self._sums += sign * column
        self._update()

    def _foreseen(self, i: int) -> Int[np.ndarray, " k"]:
        """An element, and those that will follow it if they are among the best now.

        One product gives the columns of all of them for little more than that of one.
        """
        if len(self.gains) < _MANY:
            return np.array([i])
        if self._exchanging:  # what is tried next, if this one is no better
            return np.argpartition(-self.gains, _TRIED)[:_TRIED]
        best = np.union1d(np.argpartition(-self.gains, _BEST)[:_BEST], [i])
        z = self._pool.part(best).columns(np.arange(len(best)))
        sums, at, k = self._sums[best], int(np.searchsorted(best, i)), self._count
        open_to, found = np.ones(len(best), bool), []
        for _ in range(AT_ONCE):
            found.append(best[at])
            open_to[at] = False
            sums, k = sums + z[at], k + 1
            at = int(np.argmax(np.where(open_to, (k + 1) * self._wanted[best] - sums, -np.inf)))
        return np.array(found)

    def _update(self) -> None:
        k = self._count + 1
        # Minus the discrepancy with one more, times k² / 2, less what all have in common.
        self.gains = k * self._wanted - self._sums
        if self._count:
            n = self._count
            self.value = -(self._pairs / n**2 - 2 * self._ordinary / n + self._own)
