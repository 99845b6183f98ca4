"""Similarity-sensitive diversity of labelled image datasets."""

from lcrjax.divergence import cross_diversity, relative_diversity
from lcrjax.diversity import Diversity, diversity, hill_number, measure
from lcrjax.ordinariness import ordinariness
from lcrjax.power_mean import power_mean
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
from lcrjax.spectral import vendi_score

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
