"""Figures, tables and pages of datasets and studies."""

from lcrjax.report.duplicates import near_duplicates
from lcrjax.report.figures.bars import ranking_figure
from lcrjax.report.figures.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.figures.clustered import balanced_sample, cluster_order
from lcrjax.report.figures.correlation_matrix import correlation_figure
from lcrjax.report.figures.frequency_and_similarity import frequency_and_similarity_figure
from lcrjax.report.figures.learning_curve import learning_curve_figure
from lcrjax.report.figures.profiles import PROFILE_ORDERS, profile_figure
from lcrjax.report.figures.similarity_matrix import similarity_figure
from lcrjax.report.figures.study_figures import write_figures
from lcrjax.report.page.comparison import comparison_page
from lcrjax.report.page.dataset import dataset_page
from lcrjax.report.page.selection import selection_page
from lcrjax.report.page.study import study_page
from lcrjax.report.pipeline import StudyReport, conduct_study
from lcrjax.report.summary import print_summary, summarize_study
from lcrjax.report.tables import notes, rankings, with_intervals

__all__ = [
    "PROFILE_ORDERS",
    "StudyReport",
    "alpha_figure",
    "balanced_sample",
    "class_balance_figure",
    "cluster_order",
    "comparison_page",
    "conduct_study",
    "correlation_figure",
    "dataset_page",
    "frequency_and_similarity_figure",
    "learning_curve_figure",
    "near_duplicates",
    "notes",
    "print_summary",
    "profile_figure",
    "ranking_figure",
    "rankings",
    "selection_page",
    "similarity_figure",
    "size_figure",
    "study_page",
    "summarize_study",
    "with_intervals",
    "write_figures",
]
