"""Which elements to choose, what each adds, the most diverse mixture, which of two datasets."""

from typing import TYPE_CHECKING, Any

from lcrjax.selection.choosing import select
from lcrjax.selection.comparison import (
    Comparison,
    NearPairs,
    NotPredictableError,
    Predictor,
    Row,
    Verdict,
)
from lcrjax.selection.leave_one_out import contributions
from lcrjax.selection.most_diverse import MostDiverse, maximum_diversity
from lcrjax.selection.outcome import Selection
from lcrjax.selection.side_by_side import compare
from lcrjax.selection.sides import Side

if TYPE_CHECKING:
    from lcrjax.selection.selector import Selector as Selector

__all__ = [
    "Comparison",
    "MostDiverse",
    "NearPairs",
    "NotPredictableError",
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


def __getattr__(name: str) -> Any:
    """Load `Selector` when it is asked for: it needs scikit-learn, which the base does not.

    So it is not in `__all__`.
    """
    if name != "Selector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from lcrjax.selection.selector import Selector
    except ModuleNotFoundError as error:
        raise ImportError(
            f"Selector needs scikit-learn ({error}): pip install 'lcrjax[study]'"
        ) from error
    return Selector
