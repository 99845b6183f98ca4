"""One reference model on all training images of a dataset, with its learning curve."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from lcrjax.data.split import stratified_split
from lcrjax.training.checkpoints import BEST, LAST, Checkpoints
from lcrjax.training.checks import CheckedImages, LabelledImages, check_dataset
from lcrjax.training.epochs import Images
from lcrjax.training.full_config import FullConfig
from lcrjax.training.full_programs import (
    Course,
    FullPrograms,
    make_full_programs,
    steps_per_epoch,
)
from lcrjax.training.full_result import CURVE, FullProgress, FullResult
from lcrjax.training.metrics import Scores
from lcrjax.training.subsets import architecture_of
from lcrjax.training.training_state import ModelState

IMAGES_PER_CALL = 1024
SAMPLE = 2048
SECONDS_BETWEEN_SAVES = 120.0
# The whole training set is classified once the sample comes this near the target: it is over
# four standard errors of 2,048 images at 99 %.
NEAR = 0.01


def train_full(
    dataset: LabelledImages,
    config: FullConfig | None = None,
    *,
    checkpoints: Checkpoints | None = None,
    progress: Callable[[FullProgress], None] | None = None,
) -> FullResult:
    """Train one ResNet-18 on a full dataset and follow its performance.

    As for subsets, training stops after the first epoch at whose end the training accuracy is at
    least the target, or after `max_epochs`. Nothing is chosen by the test set.

    Args:
        dataset: Training and test images with labels.
        config: The recipe; None is `FullConfig()`.
        checkpoints: Where to save the state after every epoch (and within long ones), and to go
            on from; the same bits come out, wherever training was cut. They must be of the same
            dataset and recipe. None keeps nothing.
        progress: Called after every chunk of steps and every epoch. What it raises ends
            training, with a checkpoint of all that was done.

    Returns:
        Scores and learning curve.

    Raises:
        ValueError: If images or labels are out of range, or a class is too small to give
            validation images.
        OSError: If a checkpoint cannot be written.

    References:
        Paper, sections III-C and IV-B, Table II.
    """
    config = config or FullConfig()
    data, trained_on, held_out = check_full(dataset, config)
    n_classes = int(dataset.n_classes)
    rng = np.random.default_rng(config.seed)
    work = _Work(
        config=config,
        programs=make_full_programs(
            architecture_of(data.train_images, n_classes, config.training, 1),
            config.training,
            config.schedule == "cosine",
        ),
        images=Images(jnp.asarray(data.train_images), jnp.asarray(data.train_labels)),
        indices=jnp.asarray(trained_on, jnp.int32),
        sample=np.sort(rng.permutation(trained_on)[:SAMPLE]).astype(np.int32),
        parts={
            "train": _Part(data.train_images, data.train_labels, trained_on),
            "validation": _Part(data.train_images, data.train_labels, held_out),
            "test": _Part(data.test_images, data.test_labels, np.arange(len(data.test_labels))),
        },
        checkpoints=checkpoints,
        progress=progress,
    )
    return work.result()


def check_full(
    dataset: LabelledImages, config: FullConfig
) -> tuple[CheckedImages, np.ndarray, np.ndarray]:
    """Check what `train_full` is given.

    Returns:
        The images, and the indices of the training images to train on and to validate on.

    Raises:
        ValueError: As `train_full` does.
    """
    data = check_dataset(dataset)
    everything = np.arange(len(data.train_labels))
    if not config.validation:
        return data, everything, everything[:0]
    return data, *stratified_split(data.train_labels, config.validation, config.seed)


class _Part(NamedTuple):
    """Images to evaluate on: some of an array on the host."""

    pixels: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


@dataclasses.dataclass
class _Work:
    """One process's work on one model."""

    config: FullConfig
    programs: FullPrograms
    images: Images
    indices: jax.Array
    sample: np.ndarray
    parts: dict[str, _Part]
    checkpoints: Checkpoints | None
    progress: Callable[[FullProgress], None] | None
    curve: list[dict[str, float]] = dataclasses.field(default_factory=list)
    before: float = 0.0  # seconds of the epoch in work that earlier processes spent
    rate: float = 0.0

    def result(self) -> FullResult:
        """Go on from the last checkpoint to the end."""
        # What orbax restores is bound to a device; bound from the start, it shares one program.
        course = jax.device_put(self.programs.start(jnp.uint32(self.config.seed)), jax.devices()[0])
        found = self.checkpoints.restore(LAST, course) if self.checkpoints else None
        if found is not None:
            course, notes = found
            self.curve, self.before = notes["curve"], notes["seconds"]
        self._found = len(self.curve)
        self._mark = self._saved = time.monotonic()
        self._tell(course)
        while not self._over():
            course = self._epoch(course)
        return self._conclude()

    def _over(self) -> bool:
        if not self.curve:
            return False
        last, recipe = self.curve[-1], self.config.training
        return (
            last["epoch"] >= recipe.max_epochs
            or last["train_accuracy"] >= recipe.target_accuracy
            or math.isnan(last["loss"])
        )

    def _epoch(self, course: Course) -> Course:
        """Train to the end of the epoch, look at the model, and note what was seen."""
        n, recipe = len(self.indices), self.config.training
        # Padded to all images of the dataset, whatever is held out of it.
        order = jnp.pad(
            self.programs.shuffle(course, self.indices), (0, len(self.images.labels) - n)
        )
        total, step = steps_per_epoch(n, recipe), int(course.step)
        steps = max(1, IMAGES_PER_CALL // recipe.batch_size)
        while step < total and not bool(course.model.failed):
            began, before = time.monotonic(), step
            course = self.programs.advance(
                course, self.images, order, jnp.int32(n), jnp.int32(steps)
            )
            step = int(course.step)
            self.rate = (step - before) * n / total / (time.monotonic() - began)
            if step < total:
                if time.monotonic() - self._saved > SECONDS_BETWEEN_SAVES:
                    self._save(course)
                self._tell(course)
        row = dict.fromkeys(CURVE, math.nan)
        row["epoch"] = int(course.model.epoch) + 1
        if not bool(course.model.failed):
            row["loss"] = float(course.loss) / n
            row["running_accuracy"] = float(course.right) / n
            sample = jnp.asarray(np.resize(self.sample, min(SAMPLE, len(self.images.labels))))
            course = self.programs.close(course, self.images, sample, jnp.int32(len(self.sample)))
            row.update(self._look(course.model, row["epoch"]))
        now = time.monotonic()
        row["seconds"] = self.before + now - self._mark
        self.before, self._mark = 0.0, now
        self.curve.append(row)
        if self.config.validation and self._best() is row and self.checkpoints:
            self.checkpoints.save(
                BEST, int(row["epoch"]), (course.model.params, course.model.stats), row
            )
        self._save(course)
        self._tell(course, fresh=True)
        return course

    def _look(self, model: ModelState, epoch: float) -> dict[str, float]:
        """Evaluate a model with settled statistics."""
        recipe = self.config.training
        seen = {"sample_accuracy": float(model.accuracy)}
        for name in ("validation", "test"):
            part = self.parts[name]
            if len(part.indices):
                labels = jnp.asarray(part.labels[part.indices])
                scores = self.programs.score(self._predict(model, part), labels)
                seen.update({f"{name}_{k}": float(v) for k, v in scores._asdict().items()})
        if len(self.sample) == len(self.indices):
            seen["train_accuracy"] = seen["sample_accuracy"]
        elif seen["sample_accuracy"] >= recipe.target_accuracy - NEAR or epoch >= recipe.max_epochs:
            part = self.parts["train"]
            predicted = np.asarray(self._predict(model, part)).argmax(1)
            seen["train_accuracy"] = float(np.mean(predicted == part.labels[part.indices]))
        return seen

    def _predict(self, model: ModelState, part: _Part) -> jax.Array:
        """Classify any number of images, a settling batch at a time."""
        size, n = self.config.training.settling_batch, len(part.indices)
        blocks = []
        for start in range(0, n, size):
            chosen = part.indices[start : start + size]
            # The last block is filled up: one program serves all.
            filled = np.resize(chosen, size)
            blocks.append(self.programs.classify(model, jnp.asarray(part.pixels[filled])))
        return jnp.concatenate(blocks)[:n]

    def _best(self) -> dict[str, float]:
        """The row whose model counts: the best on validation images, without them the last."""
        if not self.config.validation:
            return self.curve[-1]
        sound = [row for row in self.curve if not math.isnan(row["loss"])] or self.curve[-1:]
        return max(sound, key=lambda row: row["validation_bacc"])

    def _save(self, course: Course) -> None:
        if self.checkpoints is None:
            return
        total = steps_per_epoch(len(self.indices), self.config.training)
        number = int(course.model.epoch) * total + int(course.step)
        seconds = self.before + time.monotonic() - self._mark
        notes: dict[str, Any] = {"curve": self.curve, "seconds": seconds}
        self.checkpoints.save(LAST, number, course, notes)
        self._saved = time.monotonic()

    def _tell(self, course: Course, *, fresh: bool = False) -> None:
        if self.progress is None:
            return
        n, recipe = len(self.indices), self.config.training
        total = steps_per_epoch(n, recipe)
        progress = FullProgress(
            epoch=min(len(self.curve) + 1, recipe.max_epochs),
            max_epochs=recipe.max_epochs,
            images=int(course.step) * n // total,
            total=n,
            rate=self.rate,
            curve=tuple(dict(row) for row in self.curve),
            fresh=fresh,
            found=self._found,
        )
        try:
            self.progress(progress)
        except BaseException:
            self._save(course)
            raise

    def _conclude(self) -> FullResult:
        last, scored = self.curve[-1], self._best()
        failed = math.isnan(last["loss"])
        epoch = int(last["epoch"])
        return FullResult(
            scores={
                name: math.nan if failed else scored[f"test_{name}"] for name in Scores._fields
            },
            epoch=int(scored["epoch"]),
            epochs=epoch,
            train_accuracy=last["train_accuracy"],
            converged=last["train_accuracy"] >= self.config.training.target_accuracy,
            failure=f"the loss became NaN or infinite in epoch {epoch}" if failed else None,
            seconds=sum(row["seconds"] for row in self.curve),
            curve=pd.DataFrame(self.curve, columns=list(CURVE)),
        )
