"""Similarities of labelled elements that are read in blocks, summed: all that `measure` needs."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.streams import Stream
from lcrjax.pairwise.checkpoints import Checkpoint
from lcrjax.pairwise.indicators import Indicators
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.distance_kernels import is_positive


def own_and_all(
    similarity: Similarity,
    stream: Stream,
    classes: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    dtype: Any,
    checkpoint: Checkpoint | None,
) -> Float[np.ndarray, "n 2"]:
    """Sums of each element's similarities to its own class, and to all elements, in float64.

    Those to each of C classes exist for a block at a time, unless some might be negative: then for
    all elements together, to see that they add up to no less than zero.

    Raises:
        ValueError: As `product_of_stream` and `check_ordinariness`.
    """
    weights, whole = Indicators(classes, len(class_names), dtype), not is_positive(similarity)
    if whole:
        check_room(
            8 * len(classes) * len(class_names),
            f"similarities of {len(classes):,} images to {len(class_names):,} classes",
        )

    def kept(places: slice, sums: Float[np.ndarray, "m C"]) -> Float[np.ndarray, "m 2"]:
        present = weights[places] if whole else np.zeros(sums.shape, dtype)
        check_ordinariness(sums, present, class_names, range(len(classes))[places])
        own = np.take_along_axis(sums, classes[places, None], axis=1)[:, 0]
        return np.stack([own.astype(np.float64), sums.sum(axis=1, dtype=np.float64)], axis=1)

    return product_of_stream(similarity, stream, weights, checkpoint=checkpoint, kept=kept)
