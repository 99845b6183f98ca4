"""Failures of training: the study goes on, and the subset's row tells the reason instead."""

import dataclasses
import logging

import numpy as np
import pandas as pd
from jaxtyping import Int

from lcrjax.data import Dataset
from lcrjax.study.columns import LATER, OUTCOMES
from lcrjax.study.run.parts import Train
from lcrjax.training import Progress, TrainingConfig
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
    train: Train,
    progress: ProgressCallback,
) -> pd.DataFrame:
    """Train subsets together; if that fails, by halves, down to the ones that cannot be trained.

    Args:
        dataset: Where the subsets are from.
        subsets: Indices into its training images.
        seeds: One per subset.
        config: The recipe.
        train: What trains, such as `train_subsets`.
        progress: Told how training goes, counted over all of `subsets`.

    Returns:
        What `train` returns; the rows that could not be trained have no metrics, and the
        exception's text under `failure`.

    Raises:
        Exception: What `train` raised, if it raised for every subset and was not for
            want of memory: then the fault is not in the subsets, and recording it would spoil
            the study.
    """
    errors: list[Exception] = []

    def part(rows: slice) -> pd.DataFrame:
        def tell(p: Progress) -> None:
            try:
                finished = rows.start + p.finished
                progress(dataclasses.replace(p, finished=finished, total=len(seeds)))
            except Exception as error:
                raise _CallerFailed(error) from error

        try:
            return train(dataset, subsets[rows], seeds[rows], config, progress=tell)
        except Exception as error:
            count = rows.stop - rows.start
            if count == 1:
                errors.append(error)
                columns = (*OUTCOMES, *(LATER if config.beyond else ()))
                untrained = {column.name: column.untrained for column in columns}
                return pd.DataFrame([{**untrained, "failure": _reason(error)}])
            _log.warning(
                "training %d subsets of %d images of %s together failed (%s); trying halves",
                *(count, subsets.shape[1], dataset.name, _reason(error)),
            )
        middle = rows.start + count // 2
        halves = slice(rows.start, middle), slice(middle, rows.stop)
        return pd.concat(map(part, halves), ignore_index=True)

    try:
        table = part(slice(0, len(seeds)))
    except _CallerFailed as failure:
        raise failure.error from None
    if len(errors) == len(seeds) and not all(map(_out_of_memory, errors)):
        raise errors[0]
    return table


def _out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text or "Out of memory" in text


def _reason(error: Exception) -> str:
    if _out_of_memory(error):
        return "out of memory"
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first[:200]}"
