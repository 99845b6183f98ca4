"""Measures of a subset's labels alone, which no similarity changes."""

import numpy as np
from jaxtyping import Int

from lcrjax.study.measuring.names import LABEL_MEASURES

_ADDED = 0.5  # to each count, after Jeffreys: a class of none is worse than one of one, not endless


def label_measures(counts: Int[np.ndarray, " C"]) -> dict[str, float]:
    """Compute them from how many members each class has."""
    more = np.asarray(counts, np.float64) + _ADDED
    (name,) = LABEL_MEASURES
    return {name: float(np.exp(np.mean(np.log(more))) / np.sqrt(more.sum()))}
