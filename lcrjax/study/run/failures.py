"""Training that goes on where a subset cannot be trained: its row tells the reason instead."""

import dataclasses
import logging

import numpy as np
import pandas as pd
from jaxtyping import Int

from lcrjax.data import Dataset
from lcrjax.training import Progress, TrainingConfig, train_subsets
from lcrjax.training.progress import ProgressCallback

_log = logging.getLogger(__name__)


class _CallerFailed(BaseException):
    """An exception of the caller's own callback, which must not pass for one of training."""

    def __init__(self, error: Exception):
        self.error = error


def train_in_parts(
    dataset: Dataset,
    subsets: Int[np.ndarray, "k n"],
    seeds: Int[np.ndarray, " k"],
    config: TrainingConfig,
    *,
    progress: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Train subsets together; if that fails, by halves, down to the ones that cannot be trained.

    Args:
        dataset: Where the subsets are from.
        subsets: Indices into its training images.
        seeds: One per subset.
        config: The recipe.
        progress: Told how training goes, counted over all of `subsets`.

    Returns:
        What `train_subsets` returns; the rows that could not be trained have no metrics, and the
        exception's text under `failure`.

    Raises:
        Exception: What `train_subsets` raised, if it raised for every subset and was not for
            want of memory: then the fault is not in the subsets, and recording it would spoil
            the study.
    """

    def tell(p: Progress) -> None:
        if progress is not None:
            try:
                progress(p)
            except Exception as error:
                raise _CallerFailed(error) from error

    errors: list[Exception] = []
    try:
        table = _train(dataset, subsets, seeds, config, tell, 0, len(seeds), errors)
    except _CallerFailed as failure:
        raise failure.error from None
    if len(errors) == len(seeds) and not all(map(_out_of_memory, errors)):
        raise errors[0]
    return table


def _train(
    dataset: Dataset,
    subsets: np.ndarray,
    seeds: np.ndarray,
    config: TrainingConfig,
    progress: ProgressCallback,
    before: int,
    total: int,
    errors: list[Exception],
) -> pd.DataFrame:
    def tell(p: Progress) -> None:
        progress(dataclasses.replace(p, finished=before + p.finished, total=total))

    try:
        return train_subsets(dataset, subsets, seeds, config, progress=tell)
    except Exception as error:
        if len(seeds) == 1:
            errors.append(error)
            return _failed(error)
        _log.warning(
            "training %d subsets of %d images of %s together failed (%s); trying halves",
            *(len(seeds), subsets.shape[1], dataset.name, _reason(error)),
        )
    half = len(seeds) // 2
    return pd.concat(
        [
            _train(dataset, subsets[s], seeds[s], config, progress, before + s.start, total, errors)
            for s in (slice(0, half), slice(half, len(seeds)))
        ],
        ignore_index=True,
    )


def _failed(error: Exception) -> pd.DataFrame:
    missing = dict.fromkeys(("acc", "bacc", "auc", "auc_micro", "train_accuracy"), np.nan)
    row = {**missing, "epochs": 0, "converged": False, "failure": _reason(error), "seconds": 0.0}
    return pd.DataFrame([row])


def _out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text or "Out of memory" in text


def _reason(error: Exception) -> str:
    if _out_of_memory(error):
        return "out of memory"
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first[:200]}"
