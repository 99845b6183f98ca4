"""From datasets to a table of diversity and performance, and to what it says."""

from lcrjax.study.config import StudyConfig
from lcrjax.study.features import features
from lcrjax.study.folder import FolderInUseError
from lcrjax.study.presets import PRESETS
from lcrjax.study.progress import StudyProgress
from lcrjax.study.runner import run_study
from lcrjax.study.search import search
from lcrjax.study.store import read_results
from lcrjax.study.subsets import design_subsets
from lcrjax.study.table import same_results

__all__ = [
    "PRESETS",
    "FolderInUseError",
    "StudyConfig",
    "StudyProgress",
    "design_subsets",
    "features",
    "read_results",
    "run_study",
    "same_results",
    "search",
]
