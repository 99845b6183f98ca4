"""The study from datasets to table: measure and train every subset, block by block, resumably."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.feature_table import features
from lcrjax.study.run.failures import train_in_parts
from lcrjax.study.run.plan import Block, plan_study
from lcrjax.study.run.progress import StudyCallback, StudyProgress
from lcrjax.study.run.provenance import describe_study
from lcrjax.study.run.store import Store, check_folder, open_store
from lcrjax.study.run.time_left import TimeLeft
from lcrjax.training import Progress


def run_study(
    datasets: Sequence[Dataset],
    out: str | Path,
    config: StudyConfig | None = None,
    *,
    progress: StudyCallback | None = None,
) -> pd.DataFrame:
    """Measure and train every subset of a study, or go on where an earlier run of it stopped.

    The folder receives `config.json` (everything that decides the result), `rows/*.parquet` (one
    file per block of subsets trained together) and at the end `results.parquet`. Each file is
    written whole or not at all. A block that is finished is never trained again, and what is
    trained never depends on where an earlier run stopped: on one machine, however often a study
    was killed, its table has the same bits (all but the column `seconds`, which is wall time; see
    `lcrjax.study.same_results`).

    A subset that cannot be trained (its loss becomes NaN, or memory does not suffice even for it
    alone) is recorded with its reason in the column `failure` and does not end the study.

    Args:
        datasets: At least one, under different names; their order does not matter.
        out: The study's folder: new, empty, or that of the same study.
        config: Sizes, class-balance bins, seed and recipe; None means the defaults.
        progress: Called often with a `StudyProgress`. An exception that it raises ends the run
            as an interrupt does, with everything finished kept.

    Returns:
        The table: one row per subset, in order of dataset name, size and subset, with the columns
        `dataset, subset, n, seed`, the 27 features, the 3 systematic parameters, `acc, bacc, auc,
        auc_micro, epochs, train_accuracy, converged, failure, seconds`.

    Raises:
        ValueError: If sizes are impossible for a dataset, two datasets share a name, or the
            folder holds something else or a study that differs (the differences are listed).
        FolderInUseError: If another process is at work in the folder.
        OSError: If the disk is full or not writable; finished blocks are safe.
    """
    config = config or StudyConfig()
    check_folder(out)
    blocks = plan_study(datasets, config)
    with open_store(out, describe_study(datasets, config, blocks)) as store:
        return _Run(datasets, config, blocks, store, progress).table()


class _Run:
    """One process's work on a study."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        config: StudyConfig,
        blocks: Sequence[Block],
        store: Store,
        callback: StudyCallback | None,
    ):
        self._datasets = {d.name: d for d in datasets}
        self._config = config
        self._blocks = blocks
        self._store = store
        self._callback = callback
        self._counts = Counter((b.dataset, b.n) for b in blocks)
        self._total = sum(len(b.seeds) for b in blocks)
        self._done = 0
        pixels = {d.name: d.n_pixels * d.n_channels for d in datasets}
        self._time = TimeLeft(blocks, pixels)

    def table(self) -> pd.DataFrame:
        # Finished blocks are read first, so that the time left rests on all that is known.
        finished = {}
        for i, block in enumerate(self._blocks):
            rows = self._store.read(block)
            if rows is not None:
                finished[i] = rows
                self._count(block, rows, None)
        # Small subsets of all datasets come first: an unfinished study already compares datasets.
        left = sorted(set(range(len(self._blocks))) - set(finished), key=self._size_of)
        for i in left:
            finished[i] = self._work(self._blocks[i])
        return self._store.finish([finished[i] for i in range(len(self._blocks))])

    def _size_of(self, index: int) -> tuple[int, int]:
        return self._blocks[index].n, index

    def _work(self, block: Block) -> pd.DataFrame:
        started = time.monotonic()
        dataset = self._datasets[block.dataset]

        last: Progress | None = None

        def tell(stage: str, training: Progress | None = None) -> None:
            nonlocal last
            if last is not None and training is not None:
                self._time.trained(
                    block.dataset,
                    training.finished - last.finished,
                    training.images - last.images,
                    training.seconds - last.seconds,
                )
            last = training
            share = training.finished / training.total if training else 0.0
            left = self._time.seconds_within(block, time.monotonic() - started, share)
            self._tell(stage, block, training, left)

        tell("features")
        measured = features(dataset.train_images, dataset.train_labels, block.subsets)
        tell("training")
        trained = train_in_parts(
            dataset,
            block.subsets,
            block.seeds,
            self._config.training,
            progress=lambda p: tell("training", p),
        )
        rows = self._store.write(block, _rows(block, dataset, measured, trained))
        self._count(block, rows, time.monotonic() - started)
        return rows

    def _count(self, block: Block, rows: pd.DataFrame, seconds: float | None) -> None:
        self._done += len(rows)
        self._time.finished(block, rows, seconds)
        stage = "found" if seconds is None else "written"
        self._tell(stage, block, None, self._time.seconds())

    def _tell(self, stage: str, block: Block, training: Progress | None, left: float) -> None:
        if self._callback is None:
            return
        self._callback(
            StudyProgress(
                stage=stage,
                dataset=block.dataset,
                n=block.n,
                block=block.index,
                blocks=self._counts[block.dataset, block.n],
                rows=self._done,
                total=self._total,
                training=training,
                seconds_left=left,
            )
        )


def _rows(
    block: Block, dataset: Dataset, measured: pd.DataFrame, trained: pd.DataFrame
) -> pd.DataFrame:
    """Join what is known of a block's subsets, one row each."""
    keys = pd.DataFrame(
        {
            "dataset": block.dataset,
            "subset": range(block.first, block.first + len(block.seeds)),
            "n": block.n,
            "seed": block.seeds,
            "n_pixels": dataset.n_pixels,
            "n_channels": dataset.n_channels,
            "n_classes": dataset.n_classes,
        }
    )
    parts = (keys, measured, trained)
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)
