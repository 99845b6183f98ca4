"""What a selection is to be good at: one small class each, and the words they are written in."""

from lcrjax.selection.objectives.base import Course, Objective
from lcrjax.selection.objectives.coverage import Coverage
from lcrjax.selection.objectives.facility_location import FacilityLocation
from lcrjax.selection.objectives.herding import Herding
from lcrjax.selection.objectives.k_centre import KCentre
from lcrjax.selection.objectives.most_diverse_set import Alpha, Gamma
from lcrjax.selection.objectives.random_choice import RandomChoice

__all__ = [
    "Alpha",
    "Course",
    "Coverage",
    "FacilityLocation",
    "Gamma",
    "Herding",
    "KCentre",
    "Objective",
    "RandomChoice",
]
