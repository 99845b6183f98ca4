"""k-centre: nobody is far from the nearest chosen one."""

import dataclasses

import numpy as np
from jaxtyping import Float

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective


@dataclasses.dataclass(frozen=True)
class KCentre(Objective):
    """Largest similarity that every element of the target has to a chosen one at least.

    After the most ordinary one, each is the one that is least like those chosen before, which is
    at most twice as far from the best as the best possible. Outliers come first.

    References:
        Gonzalez (1985), Clustering to minimize the maximum intercluster distance.
    """

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Centres":
        """Begin with nothing."""
        return _Centres(pool, target)


class _Centres(Course):
    def __init__(self, pool: Columns, target: Float[np.ndarray, " n"]) -> None:
        self._pool, self._used = pool, target > 0
        self._nearest = np.full(len(pool), -np.inf)
        self.gains = pool.ordinariness(target)
        self.fresh = np.ones(len(pool), bool)

    def add(self, i: int) -> None:
        np.maximum(self._nearest, self._pool.column(i), out=self._nearest)
        self.gains = -self._nearest
        self.value = float(self._nearest[self._used].min())
