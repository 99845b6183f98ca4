"""The similarities of a comparison: what words mean for all sides together."""

import dataclasses
from typing import Any

import numpy as np

from lcrjax.pairwise.columns import Columns
from lcrjax.selection.sides import Side, joined
from lcrjax.similarity import RMSD
from lcrjax.similarity.base import KnowsElements, Similarity, pick
from lcrjax.similarity.spec import USUAL, as_similarity, describe_similarity, pixels_for

_SAMPLE = 64  # elements whose similarities are compared with their transpose


def relation_of(similarity: Any, kind: str, sides: list[Side]) -> tuple[Similarity, str]:
    """The similarity, and what it is in words."""
    word = USUAL[kind] if similarity is None else similarity
    fitted = isinstance(word, str) and ("median" in word or word == "gower")
    elements = joined(sides) if fitted else pick(sides[0].elements, np.arange(1))
    found, _, _ = as_similarity(word, None if _is_matrix(word) else elements)
    if isinstance(found, KnowsElements):
        raise ValueError(
            "a matrix of similarities knows its own elements alone: give a similarity that "
            "compares those of both datasets, such as lcrjax.RMSD()"
        )
    if isinstance(word, str):
        return found, describe_similarity(word, found, kind)
    if isinstance(found, RMSD):
        return found, describe_similarity("rmsd", found, kind)
    return found, f"{type(found).__name__} of {kind}"


def _is_matrix(word: Any) -> bool:
    return not isinstance(word, Similarity) and (not isinstance(word, str) or "file:" in word)


def check_symmetric(similarity: Similarity, side: Side) -> None:
    """Refuse a similarity that is not symmetric, by a sample of elements.

    Raises:
        ValueError: If it is not.
    """
    some = np.unique(np.linspace(0, len(side) - 1, _SAMPLE).astype(np.int64))
    Columns(similarity, pick(side.elements, some))


def seen_by(similarity: Similarity, sides: list[Side]) -> list[Side]:
    """Sides with their images as a similarity that was written in a word is to see them."""
    return [
        dataclasses.replace(side, elements=pixels_for(similarity, side.elements)) for side in sides
    ]
