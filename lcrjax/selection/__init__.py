"""Which elements to choose, what each of them adds, and the most diverse mixture of them."""

from lcrjax.selection.leave_one_out import contributions
from lcrjax.selection.most_diverse import MostDiverse, maximum_diversity

__all__ = ["MostDiverse", "contributions", "maximum_diversity"]
