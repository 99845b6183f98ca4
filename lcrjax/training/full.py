"""One reference model on all training images of a dataset, with its learning curve."""

import dataclasses
import math
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from lcrjax.data.split import stratified_split
from lcrjax.native.interrupts import ready
from lcrjax.training.batches import Images, count_batches
from lcrjax.training.checkpoints import BEST, LAST, Checkpoints
from lcrjax.training.checks import LabelledImages, Split, check_dataset
from lcrjax.training.full_config import FullConfig
from lcrjax.training.full_result import CURVE, FullProgress, FullResult, Row
from lcrjax.training.metrics import Scores, score
from lcrjax.training.networks.protocol import Network, choose_backend
from lcrjax.training.networks.resnet18 import resnet18
from lcrjax.training.programs import FullPrograms, make_full_programs
from lcrjax.training.stopping import is_due, is_over, meets_target
from lcrjax.training.training_state import EpochState, ModelState

SAMPLE = 2048
# The whole training set is classified once the sample comes this near the target: it is over
# four standard errors of 2,048 images at 99 %.
NEAR = 0.01


def train_full(
    dataset: LabelledImages,
    config: FullConfig | None = None,
    *,
    network: Network = resnet18,
    checkpoints: Checkpoints | None = None,
    progress: Callable[[FullProgress], None] | None = None,
) -> FullResult:
    """Train one model on a full dataset and follow its performance.

    As for subsets, training stops after the first epoch at whose end the training accuracy is at
    least the target, or after `max_epochs`. Nothing is chosen by the test set.

    Args:
        dataset: Training and test images with labels.
        config: The recipe; None is `FullConfig()`.
        network: What is trained.
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
    return prepare(dataset, config, network, checkpoints=checkpoints, progress=progress).result()


def prepare(
    dataset: LabelledImages,
    config: FullConfig,
    network: Network = resnet18,
    *,
    checkpoints: Checkpoints | None = None,
    progress: Callable[[FullProgress], None] | None = None,
    sample: int = SAMPLE,
) -> "FullTraining":
    """Return the training that `train_full` does, before its first step.

    Statistics and accuracy are taken over `sample` training images after each epoch; for the
    other arguments see there.
    """
    train, test, trained_on, held_out = check_full(dataset, config)
    n_classes, shape = int(dataset.n_classes), train.pixels.shape[1:]
    backend = choose_backend(network, config.training, 1)
    rng = np.random.default_rng(config.seed)
    return FullTraining(
        config=config,
        programs=make_full_programs(backend, shape, n_classes, config.training, config.schedule),
        images=Images(jnp.asarray(train.pixels), jnp.asarray(train.labels)),
        trained_on=trained_on.astype(np.int32),
        sample=np.sort(rng.permutation(trained_on)[:sample]).astype(np.int32),
        parts={
            "train": (train, trained_on),
            "validation": (train, held_out),
            "test": (test, np.arange(len(test.labels))),
        },
        checkpoints=checkpoints,
        progress=progress,
    )


def check_full(
    dataset: LabelledImages, config: FullConfig
) -> tuple[Split, Split, np.ndarray, np.ndarray]:
    """Check what `train_full` is given.

    Returns:
        Training and test images; indices of training images to train on, and to validate on.

    Raises:
        ValueError: As `train_full` does.
    """
    train, test = check_dataset(dataset)
    if not config.validation:
        everything = np.arange(len(train.labels))
        return train, test, everything, everything[:0]
    return train, test, *stratified_split(train.labels, config.validation, config.seed)


@dataclasses.dataclass
class FullTraining:
    """One process's work on one model.

    Attributes:
        config: The recipe.
        programs: What is called.
        images: The training images on the device.
        trained_on: Indices of those that are trained on.
        sample: Indices of those that statistics and accuracy are taken over after each epoch.
        parts: Images to evaluate on, by name: some of an array on the host, by their indices.
        checkpoints: Where the state is saved, or None.
        progress: What is called after every chunk of steps and every epoch, or None.
        images_per_call: Images of a chunk of steps.
        seconds_between_saves: Least time between checkpoints within an epoch.
    """

    config: FullConfig
    programs: FullPrograms
    images: Images
    trained_on: np.ndarray
    sample: np.ndarray
    parts: dict[str, tuple[Split, np.ndarray]]
    checkpoints: Checkpoints | None
    progress: Callable[[FullProgress], None] | None
    images_per_call: int = 1024
    seconds_between_saves: float = 120.0
    curve: list[Row] = dataclasses.field(default_factory=list)
    before: float = 0.0  # seconds of the epoch in work that earlier processes spent
    rate: float = 0.0

    def result(self) -> FullResult:
        """Go on from the last checkpoint to the end."""
        # What orbax restores is bound to a device; bound from the start, it shares one program.
        state = jax.device_put(self.programs.start(jnp.uint32(self.config.seed)), jax.devices()[0])
        found = self.checkpoints.restore(LAST, state) if self.checkpoints else None
        if found is not None:
            state, notes = found
            self.curve, self.before = notes["curve"], notes["seconds"]
        self._found = len(self.curve)
        self._mark = self._saved = time.monotonic()
        self._tell(state)
        while not self.curve or not self._over(self.curve[-1]):
            state = self._epoch(state)
        return self._conclude()

    @property
    def _steps(self) -> int:
        """Steps of an epoch."""
        return count_batches(len(self.trained_on), self.config.training.batch_size)

    def _over(self, row: Row) -> bool:
        failed = math.isnan(row["loss"])
        return is_over(row["epoch"], row["train_accuracy"], failed, self.config.training)

    def _epoch(self, state: EpochState) -> EpochState:
        """Train to the end of the epoch, look at the model, and note what was seen."""
        n, total, step = len(self.trained_on), self._steps, int(state.step)
        order = self.programs.shuffle(state, self._padded(self.trained_on), jnp.int32(n))
        steps = max(1, self.images_per_call // self.config.training.batch_size)
        while step < total and not bool(state.model.failed):
            began, before = time.monotonic(), step
            state = ready(
                self.programs.advance(state, self.images, order, jnp.int32(n), jnp.int32(steps))
            )
            step = int(state.step)
            self.rate = (step - before) * n / total / (time.monotonic() - began)
            if step < total:
                if time.monotonic() - self._saved > self.seconds_between_saves:
                    self._save(state)
                self._tell(state)
        row: Row = dict.fromkeys(CURVE, math.nan)
        row["epoch"] = epoch = int(state.model.epoch) + 1
        if not bool(state.model.failed):
            row["loss"] = float(state.loss) / n
            row["running_accuracy"] = float(state.right) / n
            count = jnp.int32(len(self.sample))
            sample = self._padded(self.sample)
            state = ready(self.programs.close(state, self.images, sample, count))
            row.update(self._look(state.model, epoch))
        now = time.monotonic()
        row["seconds"] = self.before + now - self._mark
        self.before, self._mark = 0.0, now
        self.curve.append(row)
        if self.config.validation and self._best() is row and self.checkpoints:
            self.checkpoints.save(BEST, epoch, (state.model.params, state.model.statistics), row)
        self._save(state)
        self._tell(state, fresh=True)
        return state

    def _look(self, model: ModelState, epoch: int) -> Row:
        """Evaluate a model at the end of an epoch."""
        recipe = self.config.training
        seen = {"sample_accuracy": float(model.accuracy)}
        for name in ("validation", "test"):
            images, chosen = self.parts[name]
            if len(chosen):
                scores = score(self._predict(model, name), images.labels[chosen])
                seen.update({f"{name}_{k}": v for k, v in scores._asdict().items()})
        if len(self.sample) == len(self.trained_on):
            seen["train_accuracy"] = seen["sample_accuracy"]
        elif is_due(seen["sample_accuracy"], recipe.target_accuracy - NEAR, epoch, recipe):
            images, chosen = self.parts["train"]
            right = self._predict(model, "train").argmax(1) == images.labels[chosen]
            seen["train_accuracy"] = float(np.mean(right))
        return seen

    def _predict(self, model: ModelState, name: str) -> np.ndarray:
        """Classify a part, `settling_batch` images at a time."""
        (images, indices), size = self.parts[name], self.config.training.settling_batch
        # The last block is filled up: one program serves all.
        filled = np.resize(indices, (-(-len(indices) // size), size))
        blocks = [
            self.programs.classify(model, jnp.asarray(images.pixels[chosen])) for chosen in filled
        ]
        return np.concatenate(ready(blocks))[: len(indices)]

    def _padded(self, indices: np.ndarray) -> jax.Array:
        """Indices padded to as many as there are images, so that one program serves any number."""
        return jnp.asarray(np.resize(indices, len(self.images.labels)))

    def _best(self) -> Row:
        """The row whose model counts: the best on validation images, without them the last."""
        if not self.config.validation:
            return self.curve[-1]
        sound = [row for row in self.curve if not math.isnan(row["loss"])] or self.curve[-1:]
        return max(sound, key=lambda row: row["validation_bacc"])

    def _save(self, state: EpochState) -> None:
        if self.checkpoints is None:
            return
        number = int(state.model.epoch) * self._steps + int(state.step)
        seconds = self.before + time.monotonic() - self._mark
        self.checkpoints.save(LAST, number, state, {"curve": self.curve, "seconds": seconds})
        self._saved = time.monotonic()

    def _tell(self, state: EpochState, *, fresh: bool = False) -> None:
        if self.progress is None:
            return
        n, most = len(self.trained_on), self.config.training.max_epochs
        progress = FullProgress(
            epoch=min(len(self.curve) + 1, most),
            max_epochs=most,
            images=int(state.step) * n // self._steps,
            total=n,
            rate=self.rate,
            curve=tuple(dict(row) for row in self.curve),
            fresh=fresh,
            found=self._found,
        )
        try:
            self.progress(progress)
        except BaseException:
            self._save(state)
            raise

    def _conclude(self) -> FullResult:
        last, scored = self.curve[-1], self._best()
        failed, epoch = math.isnan(last["loss"]), int(last["epoch"])
        return FullResult(
            scores={k: math.nan if failed else scored[f"test_{k}"] for k in Scores._fields},
            epoch=int(scored["epoch"]),
            epochs=epoch,
            train_accuracy=last["train_accuracy"],
            converged=meets_target(last["train_accuracy"], self.config.training),
            failure=f"the loss became NaN or infinite in epoch {epoch}" if failed else None,
            seconds=sum(row["seconds"] for row in self.curve),
            curve=pd.DataFrame(self.curve, columns=list(CURVE)),
        )
