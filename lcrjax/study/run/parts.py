"""Parts of a study that a caller may replace: what measures subsets, and what trains on them."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lcrjax.data import Dataset
from lcrjax.numerics.pixels import check_pixels
from lcrjax.similarity import Similarity
from lcrjax.similarity.spec import pixels_for
from lcrjax.study.feature_table import features
from lcrjax.training import TrainingConfig, block_size
from lcrjax.training.memory import subsets_per_block

#: From a dataset, subsets (k, n) of its training elements and a similarity to k rows with the
#: columns `lcrjax.study.columns.FEATURES`.
Measure = Callable[[Dataset, Int[np.ndarray, "k n"], Similarity], pd.DataFrame]
#: From a dataset, a subset's size and the recipe to the number of subsets trained in one call.
BlockSize = Callable[[Dataset, int, TrainingConfig], int]
#: From a dataset, k subsets of it, k seeds, the recipe and, by name, `progress` (a
#: `ProgressCallback`) to k rows with the columns `lcrjax.study.columns.OUTCOMES`.
Train = Callable[..., pd.DataFrame]


def measure_subsets(
    dataset: Dataset, subsets: Int[np.ndarray, "k n"], similarity: Similarity
) -> pd.DataFrame:
    """Measure the 27 features of subsets of a dataset's training elements.

    Raises:
        ValueError: As `features` does.
    """
    elements = dataset.train.elements
    if dataset.kind == "images":
        check_pixels(elements)
        elements = pixels_for(similarity, elements)
    return features(elements, dataset.train_labels, subsets, similarity=similarity)


def usual_block_size(dataset: Dataset, n: int, config: TrainingConfig) -> int:
    """Say how many subsets of n elements are trained in one call; see `lcrjax.training.block_size`.

    Of elements that are no images, which another `train` is given, as if one model trained alone.
    """
    return block_size(dataset, n, config) if dataset.kind == "images" else subsets_per_block(n, 1)


def name_of(part: Any) -> str:
    """Name a part, and what it was given beforehand, so that a study's folder can tell it."""
    if isinstance(part, functools.partial):
        given = [*map(name_of, part.args), *(f"{k}={name_of(v)}" for k, v in part.keywords.items())]
        return f"{name_of(part.func)}({', '.join(given)})"
    if isinstance(part, (str, int, float, bool, type(None))):
        return repr(part)
    if isinstance(getattr(part, "name", None), str):
        return str(part.name)
    named = part if hasattr(part, "__qualname__") else type(part)
    return f"{named.__module__}.{named.__qualname__}"
