"""Figures, tables and pages of datasets and studies."""

from lcrjax.report.bars import ranking_figure
from lcrjax.report.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.heatmap import correlation_figure
from lcrjax.report.matrix import similarity_figure
from lcrjax.report.page.dataset import dataset_page
from lcrjax.report.page.study import study_page
from lcrjax.report.profiles import profile_figure
from lcrjax.report.sense import frequency_and_similarity_figure
from lcrjax.report.tables import notes, print_rankings, rankings
from lcrjax.report.write import write_figures

__all__ = [
    "alpha_figure",
    "class_balance_figure",
    "correlation_figure",
    "dataset_page",
    "frequency_and_similarity_figure",
    "notes",
    "print_rankings",
    "profile_figure",
    "ranking_figure",
    "rankings",
    "similarity_figure",
    "size_figure",
    "study_page",
    "write_figures",
]
