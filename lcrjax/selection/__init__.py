"""Which elements to choose, what each of them adds, and the most diverse mixture of them."""

from lcrjax.selection.choosing import select
from lcrjax.selection.comparison import Comparison, NearPairs, Predictor, Row, Verdict
from lcrjax.selection.outcome import Selection
from lcrjax.selection.side_by_side import compare
from lcrjax.selection.sides import Side

__all__ = [
    "Comparison",
    "NearPairs",
    "Predictor",
    "Row",
    "Selection",
    "Side",
    "Verdict",
    "compare",
    "select",
]
