"""The similarity by which elements are chosen, where nothing is said."""

from typing import Any

import numpy as np

from lcrjax.numerics.inputs import sequence
from lcrjax.numerics.streams import Stream
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.spec import USUAL, parse_similarity

#: What is chosen by where nothing is said, by kind of elements. By the paper's exp(-RMSD) all
#: images are much alike; the length of vectors' distances is half their median.
CHOOSING = USUAL | {"images": "rmsd:10", "vectors": "laplacian:0.5median"}


def usual_similarity(elements: Any) -> tuple[Similarity, Any]:
    """Choose a similarity that tells elements of one class apart.

    Args:
        elements: Images (n, h, w) or (n, h, w, c); vectors (n, d); texts; a table of rows.

    Returns:
        `RMSD(10)` for images; `Laplacian` with half the median distance for vectors; that of
        `USUAL` for texts and rows; and the elements as the similarity takes them.
    """
    if isinstance(elements, Stream):
        return parse_similarity(CHOOSING[_of_numbers(elements)], elements), elements
    if hasattr(elements, "select_dtypes") and elements.select_dtypes(exclude="number").size:
        return parse_similarity(CHOOSING["rows"], elements), elements
    found = sequence("elements", elements)
    if isinstance(found, list | tuple):
        if len(found) and isinstance(found[0], str):
            return parse_similarity(CHOOSING["texts"]), found
        found = np.asarray(found)
    if np.asarray(found).dtype.kind in "OUS":
        return parse_similarity(CHOOSING["texts"]), [str(x) for x in found]
    return parse_similarity(CHOOSING[_of_numbers(found)], found), found


def _of_numbers(elements: Any) -> str:
    return "images" if elements.ndim > 2 else "vectors"
