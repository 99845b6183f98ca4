"""How well a dataset represents a target: what each of the target's elements finds in it."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.pairwise.largest import largest_similarities
from lcrjax.pairwise.zp import ordinariness
from lcrjax.selection.sides import Side
from lcrjax.similarity.base import Similarity


@dataclasses.dataclass(frozen=True, eq=False)
class Representation:
    """What the t elements of a target find in a dataset.

    Attributes:
        ordinariness: Mean similarity of each to the dataset's elements.
        own_ordinariness: To those of its own class; NaN where the dataset lacks it. None, as the
            next one, where the target has no labels.
        right: Whether nobody in the dataset is more similar to it than somebody of its class: what
            the nearest neighbour would tell.
        largest_similarity: Similarity of each to the most similar one.
        mmd: Maximum mean discrepancy of target and dataset, the distance of their means in the
            space of a positive semi-definite similarity: the root of u'Zu - 2 u'Zp + p'Zp.

    References:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13.
    """

    ordinariness: Float[np.ndarray, " t"]
    own_ordinariness: Float[np.ndarray, " t"] | None
    right: Bool[np.ndarray, " t"] | None
    largest_similarity: Float[np.ndarray, " t"]
    mmd: float


def class_weights(side: Side, dtype: Any) -> Float[np.ndarray, "n C"]:
    """Abundances 1/n of n elements, each in its own class; without labels in one."""
    labels = np.zeros(len(side), np.int64) if side.labels is None else side.labels
    return np.eye(max(1, len(side.class_names)), dtype=dtype)[labels] / np.asarray(len(side), dtype)


def mean_similarity(similarity: Similarity, side: Side) -> float:
    """Mean similarity of all pairs of elements, those with themselves among them: p'Zp."""
    sums = ordinariness(side.elements, np.full(len(side), 1 / len(side), np.float32), similarity)
    return float(np.mean(np.asarray(sums, np.float64)))


def represent(
    similarity: Similarity, target: Side, side: Side, within: float, own: float
) -> Representation:
    """Compare a target's elements with those of a dataset.

    Args:
        similarity: Symmetric; what compares them.
        target: With or without labels.
        side: The dataset.
        within: Mean similarity of the target's own elements.
        own: That of the dataset's.
    """
    weights = class_weights(side, np.float32)
    sums = ordinariness(target.elements, weights, similarity, others=side.elements)
    means = np.asarray(sums, np.float64)
    everyone = means.sum(axis=1)
    assert side.labels is not None
    largest = largest_similarities(
        similarity, target.elements, side.elements, side.labels, len(side.class_names)
    )
    own_means = right = None
    if target.labels is not None:
        places = _places(target, side)
        rows, there = np.arange(len(places)), places >= 0
        shares = np.bincount(side.labels) / len(side)
        own_means = np.where(there, means[rows, places] / shares[places], np.nan)
        right = there & (largest[rows, places] >= largest.max(axis=1))
    return Representation(
        ordinariness=everyone,
        own_ordinariness=own_means,
        right=right,
        largest_similarity=largest.max(axis=1).astype(np.float64),
        mmd=float(np.sqrt(max(0.0, within - 2 * everyone.mean() + own))),
    )


def _places(target: Side, side: Side) -> Int[np.ndarray, " t"]:
    """Class of each of the target's elements among the dataset's; -1 where it lacks it."""
    known = {name: place for place, name in enumerate(side.class_names)}
    places = np.array([known.get(name, -1) for name in target.class_names])
    return places[target.labels]
