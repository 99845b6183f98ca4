"""Kernel herding: elements that together stand for all of them, and for nothing twice."""

import dataclasses
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective


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
        self.fresh = np.ones(len(pool), bool)
        self._update()

    def add(self, i: int) -> None:
        self._step(i, 1)

    def remove(self, i: int) -> None:
        self._step(i, -1)

    def _step(self, i: int, sign: int) -> None:
        column = self._pool.column(i)
        # Before it is there, or once it is gone, its pairs with the others and with itself.
        others = self._sums[i] - (column[i] if sign < 0 else 0)
        self._pairs += sign * (2 * others + column[i])
        self._ordinary += sign * self._wanted[i]
        self._count += sign
        self._sums += sign * column
        self._update()

    def _update(self) -> None:
        k = self._count + 1
        # Minus the discrepancy with one more, times k² / 2, less what all have in common.
        self.gains = k * self._wanted - self._sums
        if self._count:
            n = self._count
            self.value = -(self._pairs / n**2 - 2 * self._ordinary / n + self._own)
