"""Figures, tables and pages of datasets and studies."""

from lcrjax.report.figures.bars import ranking_figure
from lcrjax.report.figures.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.figures.heatmap import correlation_figure
from lcrjax.report.figures.matrix import similarity_figure
from lcrjax.report.figures.profiles import profile_figure
from lcrjax.report.figures.sense import frequency_and_similarity_figure
from lcrjax.report.figures.write import write_figures
from lcrjax.report.page.dataset import dataset_page
from lcrjax.report.page.study import study_page
from lcrjax.report.pipeline import StudyReport, conduct_study
from lcrjax.report.tables import notes, print_rankings, rankings

__all__ = [
    "StudyReport",
    "alpha_figure",
    "class_balance_figure",
    "conduct_study",
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
