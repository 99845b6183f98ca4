"""Many models, each on its own subset of a dataset, trained to a criterion."""

import collections
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from lcrjax.native.interrupts import ready
from lcrjax.training.batches import Images
from lcrjax.training.checks import LabelledImages, check_dataset, check_seeds, check_subsets
from lcrjax.training.config import TrainingConfig
from lcrjax.training.memory import models_at_once, subsets_per_block
from lcrjax.training.metrics import Scores, score
from lcrjax.training.networks.protocol import Network, choose_backend
from lcrjax.training.networks.resnet18 import resnet18
from lcrjax.training.programs import Programs, make_programs
from lcrjax.training.progress import Progress, ProgressCallback
from lcrjax.training.stopping import is_over, meets_target
from lcrjax.training.training_state import ModelState

SMALLEST_CAPACITY = 2048
IMAGES_PER_CALL = 1024


def train_subsets(
    dataset: LabelledImages,
    subsets: np.ndarray | Sequence[Any],
    seeds: Sequence[int] | np.ndarray,
    config: TrainingConfig | None = None,
    *,
    network: Network = resnet18,
    progress: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Train one model on each subset and score it on the common test set.

    The same arguments give the same bits on the same machine. What a model learns depends on
    its subset and its seed alone, not on its neighbours.

    Args:
        dataset: Training and test images with labels.
        subsets: (k, n) indices into the training images, or a list of index vectors.
        seeds: One seed per subset, 0 to 2**32 - 1.
        config: The recipe; None is `TrainingConfig()`.
        network: What is trained.
        progress: Called after every chunk of work.

    Returns:
        One row per subset, in order: acc, bacc, auc (one class against the rest, mean over
        classes), auc_micro, epochs, train_accuracy (inference mode, whole subset), converged,
        failure (a sentence, or None), seconds (of work on it, shared among models that advance
        together).

    Raises:
        ValueError: If images, labels, subsets or seeds are out of range.
    """
    config = config or TrainingConfig()
    n_classes = int(dataset.n_classes)
    train, test = check_dataset(dataset)
    indices = check_subsets(subsets, train.labels, n_classes)
    checked_seeds = check_seeds(seeds, len(indices))
    shape = train.pixels.shape[1:]
    at_once = models_at_once(network, shape, n_classes, config)
    backend = choose_backend(network, config, at_once)
    work = _Work(
        config=config,
        programs=make_programs(backend, shape, n_classes, config),
        train=Images(jnp.asarray(train.pixels), jnp.asarray(train.labels)),
        test=Images(jnp.asarray(test.pixels), jnp.asarray(test.labels)),
        truth=test.labels,
        subsets=indices,
        seeds=checked_seeds,
        progress=progress,
    )
    sizes: dict[int, list[int]] = collections.defaultdict(list)
    for position, subset in enumerate(indices):
        sizes[len(subset)].append(position)
    for n, positions in sizes.items():
        work.train_size(n, collections.deque(positions), at_once)
    rows = [work.rows[position] for position in range(len(indices))]
    outcomes = (*Scores._fields, "epochs", "train_accuracy", "converged", "failure", "seconds")
    table = pd.DataFrame(rows, columns=list(outcomes))
    # Left to pandas, a column of None and one with a sentence in it differ in type.
    table["failure"] = pd.Series([row["failure"] for row in rows], dtype=object)
    return table


def block_size(
    dataset: LabelledImages, n: int, config: TrainingConfig, *, network: Network = resnet18
) -> int:
    """Say how many subsets of `n` images one call of `train_subsets` should be given.

    Depends on the arguments and on the kind of backend, never on the machine's momentary load.

    Args:
        dataset: The dataset the subsets are of.
        n: Images per subset.
        config: The recipe.
        network: What is trained.

    Returns:
        At least one.

    Raises:
        ValueError: If `n` is not positive.
    """
    if n < 1:
        raise ValueError(f"subsets must hold at least one image, not {n}")
    height, width, channels = (*np.shape(dataset.train_images)[1:], 1)[:3]
    n_classes = int(dataset.n_classes)
    at_once = models_at_once(network, (height, width, channels), n_classes, config)
    return subsets_per_block(n, at_once)


@dataclasses.dataclass
class _Work:
    """One call's work: what was trained so far, and what to tell the caller."""

    config: TrainingConfig
    programs: Programs
    train: Images
    test: Images
    truth: np.ndarray  # the test labels on the host
    subsets: list[np.ndarray]
    seeds: list[int]
    progress: ProgressCallback | None
    rows: dict[int, dict[str, Any]] = dataclasses.field(default_factory=dict)
    images: int = 0
    began: float = dataclasses.field(default_factory=time.perf_counter)

    def train_size(self, n: int, waiting: collections.deque[int], at_once: int) -> None:
        """Train the models of all subsets of `n` images; `waiting` holds their positions."""
        width = _width(len(waiting), at_once)
        slots = [waiting.popleft() if waiting else None for _ in range(width)]
        subsets = np.zeros((width, _capacity(n)), np.int32)
        models = self._start(slots, subsets)
        seconds: dict[int | None, float] = collections.defaultdict(float)
        while busy := [i for i, slot in enumerate(slots) if slot is not None]:
            # A slot whose model has ended idles until the call is over.
            epochs = max(1, IMAGES_PER_CALL // (n * len(slots)))
            started, before = time.perf_counter(), np.asarray(models.epoch)
            models = ready(
                self.programs.advance(
                    models, self.train, jnp.asarray(subsets), jnp.int32(n), jnp.int32(epochs)
                )
            )
            epoch = np.asarray(models.epoch)
            accuracy, failed = np.asarray(models.accuracy), np.asarray(models.failed)
            over = is_over(epoch, accuracy, failed, self.config)
            self.images += n * int((epoch - before)[busy].sum())
            ended = {i: slot for i in busy if over[i] and (slot := slots[i]) is not None}
            # All are under way before the first is waited for.
            found = ready([self.programs.predict(models, jnp.int32(i), self.test) for i in ended])
            for (i, slot), probabilities in zip(ended.items(), found, strict=True):
                self.rows[slot] = self._row(probabilities, epoch[i], accuracy[i], failed[i])
            shared = (time.perf_counter() - started) / len(busy)
            for i in busy:
                seconds[slots[i]] += shared
            for i, slot in ended.items():
                self.rows[slot]["seconds"] = seconds[slot]
                slots[i] = None
            self._report(len(busy) - len(ended), int(epoch[busy].max()))
            if ended:
                models, slots, subsets = self._fill(models, slots, subsets, waiting)

    def _start(self, slots: list[int | None], subsets: np.ndarray) -> ModelState:
        """Start a model in every slot, and write the subsets of those that are taken."""
        seeds = np.zeros(len(slots), np.uint32)
        for i, slot in enumerate(slots):
            if slot is not None:
                seeds[i], subset = self.seeds[slot], self.subsets[slot]
                subsets[i, : len(subset)] = subset
        models = self.programs.start(jnp.asarray(seeds))
        idle = jnp.asarray([slot is None for slot in slots])
        return dataclasses.replace(models, failed=models.failed | idle)

    def _fill(
        self,
        models: ModelState,
        slots: list[int | None],
        subsets: np.ndarray,
        waiting: collections.deque[int],
    ) -> tuple[ModelState, list[int | None], np.ndarray]:
        """Put waiting subsets into free slots; once none waits, drop free slots."""
        if waiting:
            fresh = [waiting.popleft() if slot is None and waiting else None for slot in slots]
            started, taken = self._start(fresh, subsets), [new is not None for new in fresh]
            if not all(taken):
                started = self.programs.replace(models, jnp.asarray(taken), started)
            models = started
            slots = [old if new is None else new for old, new in zip(slots, fresh, strict=True)]
        busy = [i for i, slot in enumerate(slots) if slot is not None]
        width = _width(len(busy), len(slots))
        if busy and width < len(slots):
            free = [i for i, slot in enumerate(slots) if slot is None]
            kept = sorted(busy + free[: width - len(busy)])
            models = self.programs.select(models, jnp.asarray(kept))
            slots, subsets = [slots[i] for i in kept], subsets[kept]
        return models, slots, subsets

    def _row(
        self, probabilities: jax.Array, epochs: Any, accuracy: Any, failed: Any
    ) -> dict[str, Any]:
        """What the table says of a model that ended."""
        scores = dict.fromkeys(Scores._fields, np.nan)
        return {
            **(scores if failed else score(probabilities, self.truth)._asdict()),
            "epochs": int(epochs),
            "train_accuracy": np.nan if failed else float(accuracy),
            "converged": bool(meets_target(accuracy, self.config)),
            "failure": f"the loss became NaN or infinite in epoch {epochs}" if failed else None,
        }

    def _report(self, active: int, epoch: int) -> None:
        if self.progress is not None:
            seconds = time.perf_counter() - self.began
            finished, total = len(self.rows), len(self.subsets)
            self.progress(Progress(finished, total, active, epoch, self.images, seconds))


def _width(wanted: int, at_once: int) -> int:
    """Fewest slots that hold the models wanted, among at_once, at_once / 4, ..., 1."""
    width = at_once
    while width > 1 and wanted <= max(1, width // 4):
        width = max(1, width // 4)
    return width


def _capacity(n: int) -> int:
    """Room for the indices of a subset: few values, so that few programs are compiled."""
    return max(SMALLEST_CAPACITY, 1 << (n - 1).bit_length())
