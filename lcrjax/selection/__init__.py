"""Which elements to choose, what each of them adds, and the most diverse mixture of them."""

from lcrjax.selection.choosing import select
from lcrjax.selection.leave_one_out import contributions
from lcrjax.selection.most_diverse import MostDiverse, maximum_diversity
from lcrjax.selection.outcome import Selection

__all__ = ["MostDiverse", "Selection", "contributions", "maximum_diversity", "select"]
