"""Figures and tables of a study."""

from lcrjax.report.bars import ranking_figure
from lcrjax.report.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.heatmap import correlation_figure
from lcrjax.report.tables import notes, print_rankings, rankings
from lcrjax.report.write import write_figures

__all__ = [
    "alpha_figure",
    "class_balance_figure",
    "correlation_figure",
    "notes",
    "print_rankings",
    "ranking_figure",
    "rankings",
    "size_figure",
    "write_figures",
]
