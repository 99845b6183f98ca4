"""Reference model of a full dataset (paper, section IV-B), in a folder of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.folder import check_folder, own_folder
from lcrjax.study.run.provenance import describe
from lcrjax.training import FullConfig, FullProgress, FullResult, train_full
from lcrjax.training.checkpoints import Checkpoints
from lcrjax.training.full import check_full

CHECKPOINTS = "checkpoints"
LEARNING_CURVE = "curve.csv"
RESULT = "result.json"
KIND = "training"


def train_reference(
    dataset: Dataset,
    out: str | Path,
    config: FullConfig | None = None,
    *,
    train: Callable[..., FullResult] = train_full,
    progress: Callable[[FullProgress], None] | None = None,
) -> FullResult:
    """Train the reference ResNet-18 on a full dataset, or go on where an earlier run stopped.

    The folder receives `config.json` (everything that decides the result), `checkpoints`,
    `curve.csv` (the learning curve, a row more after every epoch) and at the end `result.json`.
    Each is written whole or not at all. On one machine, however often training was killed, scores
    and curve have the same bits (all but `seconds`).

    Args:
        dataset: Trained on, and tested on its test set.
        out: A new or empty folder, or that of the same training.
        config: The recipe; None means the defaults.
        train: Trains; takes and returns what `lcrjax.training.train_full` does.
        progress: Called often. What it raises ends the run with everything done so far kept.

    Returns:
        Scores and learning curve.

    Raises:
        ValueError: If images or labels are out of range, or the folder holds something else or a
            training that differs (the differences are listed).
        FolderInUseError: If another process is at work in the folder.
        OSError: If the disk is full or not writable; the last checkpoint is safe.

    References:
        Paper, section IV-B and Table II.
    """
    config, folder = config or FullConfig(), Path(out)
    check_reference_folder(folder)
    check_full(dataset, config)
    with own_folder(folder, describe([dataset], reference=config.to_dict()), KIND):

        def tell(p: FullProgress) -> None:
            if p.fresh:
                _write_curve(folder, pd.DataFrame(p.curve))
            if progress is not None:
                progress(p)

        checkpoints = Checkpoints(folder / CHECKPOINTS)
        try:
            result = train(dataset, config, checkpoints=checkpoints, progress=tell)
        finally:
            checkpoints.close()
        _write_curve(folder, result.curve)
        numbers = {k: v for k, v in vars(result).items() if k not in ("scores", "curve")}
        summary = {"dataset": dataset.name, **result.scores, **numbers}
        # JSON has no NaN.
        summary = {k: None if v != v else v for k, v in summary.items()}
        write_whole(folder / RESULT, json.dumps(summary, indent=2).encode())
        return result


def check_reference_folder(folder: str | Path) -> None:
    """Raise a ValueError unless a reference model's training may live in a folder."""
    check_folder(folder, KIND, (CHECKPOINTS,))


def _write_curve(folder: Path, curve: pd.DataFrame) -> None:
    write_whole(folder / LEARNING_CURVE, curve.to_csv(index=False).encode())
