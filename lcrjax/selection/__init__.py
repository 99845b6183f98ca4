"""Which elements to choose, what each adds, the most diverse mixture, which of two datasets."""

from lcrjax.selection.choosing import select
from lcrjax.selection.comparison import Comparison, NearPairs, Predictor, Row, Verdict
from lcrjax.selection.leave_one_out import contributions
from lcrjax.selection.most_diverse import MostDiverse, maximum_diversity
from lcrjax.selection.outcome import Selection
from lcrjax.selection.side_by_side import compare
from lcrjax.selection.sides import Side

__all__ = [
    "Comparison",
    "MostDiverse",
    "NearPairs",
    "Predictor",
    "Row",
    "Selection",
    "Side",
    "Verdict",
    "compare",
    "contributions",
    "maximum_diversity",
    "select",
]
