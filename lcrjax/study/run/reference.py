"""Reference model of a full dataset (paper, section IV-B), in a folder of its own."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pandas as pd

from lcrjax.data import Dataset
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.folder import CONFIG, check_folder, own_folder, read_description
from lcrjax.study.run.provenance import describe
from lcrjax.training import (
    Backend,
    FullConfig,
    FullProgress,
    FullResult,
    TrainingConfig,
    resnet18,
    train_full,
)
from lcrjax.training.checkpoints import BEST, LAST, Checkpoints
from lcrjax.training.full import check_full
from lcrjax.training.networks.protocol import choose_backend
from lcrjax.training.programs import make_full_programs

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


@dataclasses.dataclass(frozen=True)
class Reference:
    """A reference model that was trained, the epoch that was scored.

    Attributes:
        params: Its weights.
        statistics: Those of its batch normalisation.
        backend: What executes it here.
        config: The recipe.
        shape: Height, width and channels of its images.
        digest: Tells it from other models.
    """

    params: Any
    statistics: Any
    backend: Backend
    config: FullConfig
    shape: tuple[int, int, int]
    digest: str


def read_reference(folder: str | Path) -> Reference:
    """Read a model that `train_reference` has trained to the end.

    Raises:
        ValueError: If the folder holds none, or its training failed or is not over.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ValueError(f"{folder} holds no model: give the folder of a finished lcrjax train")
    decides = read_description(folder, KIND)["decides"]
    try:
        given, (trained_on,) = dict(decides["reference"]), decides["datasets"].values()
        config = FullConfig(**given | {"training": TrainingConfig(**given["training"])})
        height, width, channels = (*map(int, trained_on["image_shape"]), 1)[:3]
        n_classes = int(trained_on["classes"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / CONFIG} is not that of a model ({error!r})") from None
    if not (folder / RESULT).is_file():
        raise ValueError(f"the training in {folder} is not over: let lcrjax train finish it")
    summary = (folder / RESULT).read_bytes()
    if json.loads(summary).get("failure"):
        raise ValueError(f"the training in {folder} failed: train again in another folder")
    shape = (height, width, channels)
    backend = choose_backend(resnet18, config.training, 1)
    programs = make_full_programs(backend, shape, n_classes, config.training, config.schedule)
    like = jax.eval_shape(programs.start, jnp.uint32(config.seed))
    checkpoints = Checkpoints(folder / CHECKPOINTS)
    try:
        if config.validation:
            wanted = (like.model.params, like.model.statistics)
            found = checkpoints.restore(BEST, wanted)
        else:
            found = checkpoints.restore(LAST, like)
    finally:
        checkpoints.close()
    if found is None:
        raise ValueError(f"{folder} holds no checkpoint: train again")
    state = found[0]
    params, statistics = (
        state if config.validation else (state.model.params, state.model.statistics)
    )
    digest = hashlib.sha256((folder / CONFIG).read_bytes() + summary).hexdigest()
    return Reference(params, statistics, backend, config, shape, digest)


def check_reference_folder(folder: str | Path) -> None:
    """Raise a ValueError unless a reference model's training may live in a folder."""
    check_folder(folder, KIND, (CHECKPOINTS,))


def _write_curve(folder: Path, curve: pd.DataFrame) -> None:
    write_whole(folder / LEARNING_CURVE, curve.to_csv(index=False).encode())
