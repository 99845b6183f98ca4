"""Similarity-sensitive diversity of labelled image datasets."""

from lcrjax import similarity as _similarity
from lcrjax.measures.counted import diversity
from lcrjax.measures.divergence import cross_diversity, relative_diversity
from lcrjax.measures.hill import hill_number
from lcrjax.measures.labelled import measure
from lcrjax.measures.long_form import from_frame
from lcrjax.measures.rarefaction import rarefy
from lcrjax.measures.resampling import Bootstrap, Subsets
from lcrjax.measures.result import Diversity
from lcrjax.measures.vendi import vendi_score
from lcrjax.numerics.power_means import power_mean
from lcrjax.numerics.streams import Stream
from lcrjax.pairwise.zp import ordinariness
from lcrjax.similarity import *  # noqa: F403 - what is public stands there, once

__all__ = [
    *_similarity.__all__,
    "Bootstrap",
    "Diversity",
    "Stream",
    "Subsets",
    "cross_diversity",
    "diversity",
    "from_frame",
    "hill_number",
    "measure",
    "ordinariness",
    "power_mean",
    "rarefy",
    "relative_diversity",
    "vendi_score",
]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
