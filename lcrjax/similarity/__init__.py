"""What "similar" means for two elements: pytrees, usable inside jit, vmap and grad."""

from lcrjax.similarity.angular import Cosine, Linear
from lcrjax.similarity.base import Similarity, TiledSimilarity
from lcrjax.similarity.exact import Identity, SameClass
from lcrjax.similarity.function import Pointwise, PythonFunction
from lcrjax.similarity.precomputed import Precomputed
from lcrjax.similarity.radial import RMSD, Gaussian, Laplacian, Matern32, Matern52, Radial

__all__ = [
    "RMSD",
    "Cosine",
    "Gaussian",
    "Identity",
    "Laplacian",
    "Linear",
    "Matern32",
    "Matern52",
    "Pointwise",
    "Precomputed",
    "PythonFunction",
    "Radial",
    "SameClass",
    "Similarity",
    "TiledSimilarity",
]
