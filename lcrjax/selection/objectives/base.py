"""An objective, and the course of one as elements are chosen."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, dataclass_transform

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.pairwise.columns import Columns

#: Takes which elements may be chosen, and leaves some of them.
Draw = Callable[[Bool[np.ndarray, " n"]], Bool[np.ndarray, " n"]]


@dataclass_transform(frozen_default=True)
class Objective(ABC):
    """What a selection is to be good at. A subclass is a frozen dataclass with two lines to write.

    Attributes:
        by_class: Whether classes are chosen from apart, each for itself, where there are labels.
        exchanged: Whether, in the end, elements are exchanged as long as that makes it better.
    """

    by_class: ClassVar[bool] = True
    exchanged: ClassVar[bool] = False

    @abstractmethod
    def begin(self, pool: Columns, target: Float[np.ndarray, " n"]) -> "Course":
        """Begin with nothing chosen.

        Args:
            pool: n elements.
            target: Their weights in what the selection is to stand for; the sum is one.
        """

    def allowed(self, pool: Columns, target: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Which elements may be chosen at all."""
        return np.ones(len(pool), bool)

    def draw(self, free: int, count: int) -> "Draw | None":
        """What draws the elements that are looked at for each choice; None where all are.

        Args:
            free: How many may be chosen.
            count: How many will be.
        """
        return None


class Course(ABC):
    """Elements chosen so far, and what each of the others would do for the objective.

    Attributes:
        gains: (n,) float64: the larger, the better for the objective; each at most that.
        fresh: (n,) bool: whose gains are exact.
        value: The objective of what is chosen; larger is better. NaN if that is nothing.
    """

    gains: Float[np.ndarray, " n"]
    fresh: Bool[np.ndarray, " n"]
    value: float = np.nan

    @abstractmethod
    def add(self, i: int) -> None:
        """Choose an element."""

    def remove(self, i: int) -> None:
        """Take a chosen element back."""
        raise NotImplementedError

    def refine(self, some: Int[np.ndarray, " k"], soon: Int[np.ndarray, " m"]) -> None:
        """Make the gains of some elements exact, where not all are; `soon` will be next."""
        raise NotImplementedError
