"""Greatest diversity of the chosen themselves, A or G at any viewpoint."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective

_NUMBERS_AT_ONCE = 2**22


@dataclasses.dataclass(frozen=True)
class Alpha(Objective):
    """Greatest diversity within the classes: A_q of the selection, by greedy choice and exchange.

    Chosen from all elements, that seeks outliers; a floor leaves the least ordinary ones out.

    Attributes:
        q: Viewpoint in [0, inf].
        floor: Share of the elements, the least ordinary in their class, that is not chosen from.

    References:
        Paper, section V, which proposes to maximize A; equation 7 for A.
    """

    exchanged: ClassVar[bool] = True
    q: float = 1.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Check the viewpoint and the floor."""
        if not self.q >= 0:
            raise ValueError(f"q is {self.q:g}: viewpoints lie in [0, inf]")
        if not 0 <= self.floor < 1:
            raise ValueError(f"the floor is {self.floor:g}: give a share of the elements, below 1")

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Diverse":
        """Begin with nothing."""
        return _Diverse(pool, target, self.q)

    def allowed(self, pool: Columns, target: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """All but the least ordinary."""
        if not self.floor:
            return super().allowed(pool, target)
        ordinariness = pool.ordinariness(target)
        return ordinariness >= np.quantile(ordinariness, self.floor)


@dataclasses.dataclass(frozen=True)
class Gamma(Alpha):
    """Greatest diversity of all that is chosen, whatever its class: G_q of the selection."""

    by_class: ClassVar[bool] = False


class _Diverse(Course):
    def __init__(self, pool: Columns, target: Float[np.ndarray, " n"], q: float) -> None:
        self._pool, self._q = pool, q
        self._first = pool.ordinariness(target)
        self._chosen: list[int] = []
        self._sums = np.zeros(len(pool))
        self.gains = self._first  # one alone is as diverse as any: the most ordinary
        self.fresh = np.ones(len(pool), bool)

    def add(self, i: int) -> None:
        self._chosen.append(i)
        self._sums += self._pool.column(i)
        self._update()

    def remove(self, i: int) -> None:
        self._chosen.remove(i)
        self._sums -= self._pool.column(i)
        self._update()

    def _update(self) -> None:
        """The diversity of the chosen, and its logarithm with each other one."""
        k, n = len(self._chosen), len(self._sums)
        if not k:
            self.gains = self._first
            return
        self.gains = np.empty(n)
        chosen = np.array(self._chosen)
        now = self._sums[chosen]
        self.value = float(np.exp(_log_diversity(now / k, np.array(np.nan), self._q, k)))
        rows = self._pool.columns(chosen)
        step = max(1, _NUMBERS_AT_ONCE // k)
        for start in range(0, n, step):
            some = slice(start, start + step)
            with_it = now[:, None] + rows[:, some]
            self.gains[some] = _log_diversity(
                with_it / (k + 1), (self._sums[some] + 1) / (k + 1), self._q, k + 1
            )


def _log_diversity(ordinariness: np.ndarray, last: np.ndarray, q: float, count: int) -> Any:
    """Log D_q of `count` equal elements: those along the first axis, and one last unless NaN."""
    known = ~np.isnan(last)
    if q == np.inf:
        return -np.log(np.fmax(ordinariness.max(axis=0), last))
    if q == 1:
        return -(np.log(ordinariness).sum(axis=0) + np.where(known, np.log(last), 0)) / count
    power = q - 1
    total = (ordinariness**power).sum(axis=0) + np.where(known, last**power, 0)
    return -np.log(total / count) / power
