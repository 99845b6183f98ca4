"""Studies: from datasets to a table of diversity and performance, and to what it says."""

from lcrjax.study.analysis.combinations import search
from lcrjax.study.design.balance import design_subsets
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.design.levels import design_levels
from lcrjax.study.design.presets import PRESETS
from lcrjax.study.feature_table import features
from lcrjax.study.measuring.addition import add_measures
from lcrjax.study.measuring.names import HELD_OUT_MEASURES
from lcrjax.study.prediction.files import load_predictor, save_predictor
from lcrjax.study.prediction.predictor import FittedPredictor, fit_predictor
from lcrjax.study.run.embedding import embed_dataset
from lcrjax.study.run.folder import FolderInUseError
from lcrjax.study.run.machines import MachineError
from lcrjax.study.run.parts import Train, measure_subsets
from lcrjax.study.run.progress import StudyProgress
from lcrjax.study.run.runner import run_study
from lcrjax.study.run.store import read_results
from lcrjax.study.table import same_results

__all__ = [
    "HELD_OUT_MEASURES",
    "PRESETS",
    "FittedPredictor",
    "FolderInUseError",
    "MachineError",
    "StudyConfig",
    "StudyProgress",
    "Train",
    "add_measures",
    "design_levels",
    "design_subsets",
    "embed_dataset",
    "features",
    "fit_predictor",
    "load_predictor",
    "measure_subsets",
    "read_results",
    "run_study",
    "same_results",
    "save_predictor",
    "search",
]
