"""Similarities written in one word, such as `rmsd:10`, for command lines and files of settings."""

import difflib
from typing import Any

import numpy as np

from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.cosine import Cosine
from lcrjax.similarity.distance_kernels import RMSD, Gaussian, Laplacian, Matern32, Matern52

#: How each is written; a number in brackets may be left out.
FORMS: dict[str, type[TiledSimilarity]] = {
    "rmsd[:SCALE]": RMSD,
    "cosine": Cosine,
    "gaussian:LENGTH": Gaussian,
    "laplacian:LENGTH": Laplacian,
    "matern32:LENGTH": Matern32,
    "matern52:LENGTH": Matern52,
}


def parse_similarity(text: str) -> TiledSimilarity:
    """Read a similarity written in one word.

    Args:
        text: A name and, where it has one, its number: `rmsd`, `rmsd:SCALE`, `cosine`,
            `gaussian:LENGTH`, `laplacian:LENGTH`, `matern32:LENGTH`, `matern52:LENGTH`. Of images a
            length is in the unit of pixels in [0, 1].

    Raises:
        ValueError: If there is no such similarity (the nearest and all are named), or its number is
            missing, unasked for or not above 0.

    Example:
        >>> parse_similarity("rmsd:10")
        RMSD(scale=10.0, unit=255.0)
    """
    name, colon, number = str(text).strip().partition(":")
    forms = {form.partition(":")[0].rstrip("["): form for form in FORMS}
    if name not in forms:
        near = difflib.get_close_matches(name.lower(), forms, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no similarity {text!r}: {hint}known are {', '.join(FORMS)}")
    form = forms[name]
    if not colon and (":" not in form or "[" in form):
        return FORMS[form]()
    value = _above_zero(number) if ":" in form else None
    if value is None:
        number_too = ", a number above 0" * (":" in form)
        raise ValueError(f"the similarity is {text!r}: write {form}{number_too}")
    return FORMS[form](value)  # type: ignore[call-arg]


def pixels_for(similarity: TiledSimilarity, images: Any) -> Any:
    """Images as a similarity is to see them: bytes become floats in [0, 1] for all but RMSD.

    So lengths mean the same whatever type of pixels a dataset has; RMSD takes bytes so by itself.
    """
    if isinstance(similarity, RMSD) or images.dtype != np.uint8:
        return images
    return images / np.float32(255)


def _above_zero(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < np.inf else None
