"""Similarity-sensitive diversity of labelled image datasets."""

from lcrjax.diversity import Diversity, diversity, hill_number, measure
from lcrjax.ordinariness import ordinariness
from lcrjax.power_mean import power_mean
from lcrjax.similarity import (
    RMSD,
    Gaussian,
    Identity,
    Laplacian,
    Matern32,
    Matern52,
    Precomputed,
    SameClass,
    Similarity,
    TiledSimilarity,
)

__all__ = [
    "RMSD",
    "Diversity",
    "Gaussian",
    "Identity",
    "Laplacian",
    "Matern32",
    "Matern52",
    "Precomputed",
    "SameClass",
    "Similarity",
    "TiledSimilarity",
    "diversity",
    "hill_number",
    "measure",
    "ordinariness",
    "power_mean",
]
__version__ = "0.1.0"
