"""Similarities of two elements: pytrees, usable inside jit, vmap and grad."""

from lcrjax.similarity.base import Product, Similarity, TiledSimilarity
from lcrjax.similarity.cosine import Cosine, Linear
from lcrjax.similarity.custom import Pointwise, PythonFunction
from lcrjax.similarity.distance_kernels import RMSD, Gaussian, Laplacian, Matern32, Matern52, Radial
from lcrjax.similarity.distance_matrix import from_distance
from lcrjax.similarity.gower import Gower
from lcrjax.similarity.labels import Identity, SameClass
from lcrjax.similarity.phylogeny import HistoricalSpecies, from_newick
from lcrjax.similarity.precomputed import Precomputed
from lcrjax.similarity.spec import median_distance, parse_similarity
from lcrjax.similarity.taxonomy import Taxonomy
from lcrjax.similarity.texts import Levenshtein, NGrams

__all__ = [
    "RMSD",
    "Cosine",
    "Gaussian",
    "Gower",
    "HistoricalSpecies",
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
    "Taxonomy",
    "TiledSimilarity",
    "from_distance",
    "from_newick",
    "median_distance",
    "parse_similarity",
]
