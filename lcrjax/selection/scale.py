"""The similarity by which elements are chosen, where nothing is said."""

from typing import Any

import numpy as np

from lcrjax.numerics.inputs import sequence
from lcrjax.similarity import RMSD, Laplacian
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.spec import USUAL, median_distance, parse_similarity

#: exp(-s RMSD) of images: at the paper's s = 1 all images are much alike.
RMSD_SCALE = 10.0
#: Length of the exponential of vectors' distances, in units of their median.
PART_OF_MEDIAN = 0.5


def usual_similarity(elements: Any) -> tuple[Similarity, Any]:
    """Choose a similarity that tells elements of one class apart.

    Args:
        elements: Images (n, h, w) or (n, h, w, c); vectors (n, d); texts.

    Returns:
        `RMSD(10)` for images; `Laplacian` with half the median distance for vectors; that of
        `USUAL` for texts; and the elements as an array or list.
    """
    found = sequence("elements", elements)
    if isinstance(found, list | tuple):
        if len(found) and isinstance(found[0], str):
            return parse_similarity(USUAL["texts"]), found
        found = np.asarray(found)
    if np.asarray(found).dtype.kind in "OUS":
        return parse_similarity(USUAL["texts"]), [str(x) for x in found]
    if found.ndim > 2:
        return RMSD(RMSD_SCALE), found
    return Laplacian(PART_OF_MEDIAN * median_distance(found)), found
