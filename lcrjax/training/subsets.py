"""Many models, each on its own subset of a dataset, trained to a criterion."""

import collections
import dataclasses
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

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
from lcrjax.training.stopping import Passed, events, is_over, meets_target
from lcrjax.training.training_state import ModelState

SMALLEST_CAPACITY = 2048
IMAGES_PER_CALL = 1024
OUTCOMES = (*Scores._fields, "epochs", "train_accuracy", "converged", "failure", "seconds")
#: What a model is told by again, under names that end in `_beyond` and in `_running`.
AGAIN = (*Scores._fields, "epochs", "train_accuracy")
LATER = tuple(f"{name}_{when}" for when in ("beyond", "running") for name in AGAIN)


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
        together). With `config.beyond` the first six again of the model so many epochs after it
        stopped, in columns that end in `_beyond`, and of the model whose running accuracy first
        met the target, in columns that end in `_running`; NaN where it came to no such epoch.

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
    table = pd.DataFrame(rows, columns=[*OUTCOMES, *(LATER if config.beyond else ())])
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


class _Seen(NamedTuple):
    """How far models have come, on the host."""

    epoch: np.ndarray
    running: np.ndarray
    accuracy: np.ndarray
    failed: np.ndarray


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
    finished: int = 0
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
                    models,
                    self.train,
                    jnp.asarray(subsets),
                    jnp.int32(n),
                    jnp.int32(epochs),
                    self._passed(slots) if self.config.beyond else None,
                )
            )
            seen = _Seen(*(np.asarray(getattr(models, name)) for name in _Seen._fields))
            self.images += n * int((seen.epoch - before)[busy].sum())
            scored, over = self._reached(seen, slots)
            ended = {i: slot for i in busy if over[i] and (slot := slots[i]) is not None}
            # All are under way before the first is waited for.
            found = ready([self.programs.predict(models, jnp.int32(i), self.test) for i in scored])
            for (i, when), probabilities in zip(scored.items(), found, strict=True):
                self._note(slots[i], when, _Seen(*(x[i] for x in seen)), probabilities)
            shared = (time.perf_counter() - started) / len(busy)
            for i in busy:
                seconds[slots[i]] += shared
            for i, slot in ended.items():
                self.rows[slot]["seconds"] = seconds[slot]
                slots[i] = None
            self.finished += len(ended)
            self._report(len(busy) - len(ended), int(seen.epoch[busy].max()))
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

    def _passed(self, slots: list[int | None]) -> Passed:
        """What the models in the slots have come past; those in free ones past everything."""
        done = {"epochs": 0, "epochs_running": 0}
        rows = [done if slot is None else self.rows.get(slot, {}) for slot in slots]
        stop = np.array([row.get("epochs", -1) for row in rows], np.int32)
        return Passed(stop, np.array([row.get("epochs_running", -1) >= 0 for row in rows]))

    def _reached(
        self, seen: "_Seen", slots: list[int | None]
    ) -> tuple[dict[int, list[str]], np.ndarray]:
        """Which taken slots hold a model to be scored, as what; and whose models end."""
        taken = [i for i, slot in enumerate(slots) if slot is not None]
        if not self.config.beyond:
            over = is_over(seen.epoch, seen.accuracy, seen.failed, self.config)
            return {i: [""] for i in taken if over[i]}, over
        passed = self._passed(slots)
        now = events(seen.epoch, seen.running, seen.accuracy, passed, self.config)
        # A model that fails before it stops has a row; one that fails later keeps its scores.
        names = {
            "": seen.failed & (passed.stop < 0) | now.stop,
            "_beyond": now.beyond & ~seen.failed,
            "_running": now.running & ~seen.failed,
        }
        scored = {i: [name for name, which in names.items() if which[i]] for i in taken}
        return {i: when for i, when in scored.items() if when}, now.beyond | seen.failed

    def _note(
        self, slot: int | None, when: list[str], model: "_Seen", probabilities: jax.Array
    ) -> None:
        """Write down what the table says of a model that is to be scored."""
        assert slot is not None
        row = self.rows.setdefault(slot, dict.fromkeys(LATER, np.nan) if self.config.beyond else {})
        scores = dict.fromkeys(Scores._fields, np.nan)
        found = {
            **(scores if model.failed else score(probabilities, self.truth)._asdict()),
            "epochs": int(model.epoch),
            "train_accuracy": np.nan if model.failed else float(model.accuracy),
        }
        for name in when:
            row.update({f"{key}{name}": value for key, value in found.items()})
        if "" in when:
            row["converged"] = bool(meets_target(model.accuracy, self.config))
            said = f"the loss became NaN or infinite in epoch {model.epoch}"
            row["failure"] = said if model.failed else None

    def _report(self, active: int, epoch: int) -> None:
        if self.progress is not None:
            seconds = time.perf_counter() - self.began
            finished, total = self.finished, len(self.subsets)
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
