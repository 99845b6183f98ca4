"""Analyses of a study's table: regressions, searches, intervals."""

from lcrjax.study.analysis.branch_and_bound import best_subsets
from lcrjax.study.analysis.calibration import reliability
from lcrjax.study.analysis.combinations import search, search_sizes
from lcrjax.study.analysis.concordance import pairwise_concordance
from lcrjax.study.analysis.correlation import cluster, squared_correlations
from lcrjax.study.analysis.differences import judge_differences, predict_differences
from lcrjax.study.analysis.effect import top_effect
from lcrjax.study.analysis.feature_sets import explain_feature_sets, score
from lcrjax.study.analysis.fixed_effects import fixed_effects_r2
from lcrjax.study.analysis.leave_one_out import leave_one_dataset_out
from lcrjax.study.analysis.nested import nested_selection
from lcrjax.study.analysis.paper_claims import claims
from lcrjax.study.analysis.regression import Design, design_matrix, fit, variance_inflation
from lcrjax.study.analysis.resampling import Bootstrap, bootstrap

__all__ = [
    "Bootstrap",
    "Design",
    "best_subsets",
    "bootstrap",
    "claims",
    "cluster",
    "design_matrix",
    "explain_feature_sets",
    "fit",
    "fixed_effects_r2",
    "judge_differences",
    "leave_one_dataset_out",
    "nested_selection",
    "pairwise_concordance",
    "predict_differences",
    "reliability",
    "score",
    "search",
    "search_sizes",
    "squared_correlations",
    "top_effect",
    "variance_inflation",
]
