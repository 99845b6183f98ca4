"""Similarity-sensitive diversity of labelled image datasets."""

from lcrjax.measures.counted import diversity
from lcrjax.measures.divergence import cross_diversity, relative_diversity
from lcrjax.measures.hill import hill_number
from lcrjax.measures.labelled import measure
from lcrjax.measures.result import Diversity
from lcrjax.measures.vendi import vendi_score
from lcrjax.numerics.power_means import power_mean
from lcrjax.pairwise.zp import ordinariness
from lcrjax.similarity import (
    RMSD,
    Cosine,
    Gaussian,
    Identity,
    Laplacian,
    Linear,
    Matern32,
    Matern52,
    Pointwise,
    Precomputed,
    PythonFunction,
    SameClass,
    Similarity,
    TiledSimilarity,
)

__all__ = [
    "RMSD",
    "Cosine",
    "Diversity",
    "Gaussian",
    "Identity",
    "Laplacian",
    "Linear",
    "Matern32",
    "Matern52",
    "Pointwise",
    "Precomputed",
    "PythonFunction",
    "SameClass",
    "Similarity",
    "TiledSimilarity",
    "cross_diversity",
    "diversity",
    "hill_number",
    "measure",
    "ordinariness",
    "power_mean",
    "relative_diversity",
    "vendi_score",
]
__version__ = "0.1.0"
