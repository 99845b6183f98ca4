"""Similarities of two elements: pytrees, usable inside jit, vmap and grad."""

from lcrjax.similarity.base import Product, Similarity, TiledSimilarity
from lcrjax.similarity.cosine import Cosine, Linear
from lcrjax.similarity.custom import Pointwise, PythonFunction
from lcrjax.similarity.distance_kernels import RMSD, Gaussian, Laplacian, Matern32, Matern52, Radial
from lcrjax.similarity.gower import Gower
from lcrjax.similarity.labels import Identity, SameClass
from lcrjax.similarity.precomputed import Precomputed
from lcrjax.similarity.spec import median_distance, parse_similarity
from lcrjax.similarity.texts import Levenshtein, NGrams

__all__ = [
    "RMSD",
    "Cosine",
    "Gaussian",
    "Gower",
    "Identity",
    "Laplacian",
    "Levenshtein",
    "Linear",
    "Matern32",
    "Matern52",
    "NGrams",
    "Pointwise",
    "Precomputed",
    "Product",
    "PythonFunction",
    "Radial",
    "SameClass",
    "Similarity",
    "TiledSimilarity",
    "median_distance",
    "parse_similarity",
]
