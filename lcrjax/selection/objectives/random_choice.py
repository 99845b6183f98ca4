"""Choice at random, to compare with."""

import dataclasses

import numpy as np
from jaxtyping import Float

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.objectives.base import Course, Objective


@dataclasses.dataclass(frozen=True)
class RandomChoice(Objective):
    """Every element with the same chance; the value is 0.

    Attributes:
        seed: Of the choice.
    """

    seed: int = 0

    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "_Drawn":
        """Draw an order of the elements."""
        return _Drawn(len(pool), self.seed)


class _Drawn(Course):
    def __init__(self, n: int, seed: int) -> None:
        self.gains = np.random.default_rng(seed).permutation(n).astype(np.float64)
        self.fresh = np.ones(n, bool)
        self.value = 0.0

    def add(self, i: int) -> None:
        """Nothing changes."""
