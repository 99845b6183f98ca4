"""Facility location: every element of the pool has somebody chosen who is like it."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Draw, Objective
from lcrjax.selection.open_pairs import MOST_PAIRS, OpenPairs, count_open

_PAIRS_OF_EACH = 300  # open pairs of an element: with more, lazy evaluation is quicker


@dataclasses.dataclass(frozen=True)
class FacilityLocation(Objective):
    r"""Mean similarity of the target's elements to the most similar chosen one.

    $\sum_j u_j \max_{i \in S} Z_{ij}$ is submodular: an element adds the less the more are chosen,
    so that gains of before are bounds of those of now, and few have to be computed again. In a
    large pool these are still many. Then an epsilon above zero is quicker: each choice looks at a
    random n / k log(1 / epsilon) of n elements, where k are to be chosen, as long as not all gains
    are known.

    Attributes:
        epsilon: Part of the best value that may be lost in the mean by that, such as 0.01; below 1.
            Zero looks at all.
        seed: Of what is looked at.

    References:
        Nemhauser, Wolsey, Fisher (1978); Minoux (1978) for the lazy evaluation; Mirzasoleiman et
        al. (2015), Lazier than lazy greedy, for epsilon.
    """

    epsilon: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check epsilon."""
        if not 0 <= self.epsilon < 1:
            raise ValueError(f"epsilon is {self.epsilon:g}: give 0, or a small part such as 0.01")

    def draw(self, free: int, count: int) -> Draw | None:
        """Draw as many as make sure that one of the best is among them."""
        if not self.epsilon:
            return None
        rng = np.random.default_rng(self.seed)
        size = int(np.ceil(free / count * np.log(1 / self.epsilon)))

        def some(open_to: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
            places = np.flatnonzero(open_to)
            if len(places) <= size:
                return open_to
            drawn = np.zeros_like(open_to)
            drawn[rng.choice(places, size, replace=False, shuffle=False)] = True
            return drawn

        return some

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
        self.value = float(np.sum(self._target * self._covered))  # a product would wake BLAS

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
