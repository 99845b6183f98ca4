"""How long a study will still take, learned from what it has done."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lcrjax.study.run.plan import Block

#: First guesses, replaced by what is measured: epochs of a model, its fixed seconds, a pixel's.
_EPOCHS = 10.0
_PER_MODEL = 0.3
_PER_PIXEL = 5e-6


class TimeLeft:
    """Estimate of a study's remaining time.

    A model takes a fixed time and a time for each image that it is trained on; both are fitted to
    what was measured while models trained, per dataset, starting from the fit over all datasets
    (there a pixel takes the same time). The epochs of a model to come are those of finished
    subsets of the same dataset and size, else of the nearest size, else of other datasets.
    Whatever the first block of a dataset took beyond that is compilation, expected once more for
    each dataset that has not begun.

    Args:
        blocks: The study's plan.
        pixels: Numbers per image of each dataset.
    """

    def __init__(self, blocks: Sequence[Block], pixels: Mapping[str, int]):
        self._pixels = dict(pixels)
        self._open = Counter[tuple[str, int]]()
        for block in blocks:
            self._open[block.dataset, block.n] += len(block.seeds)
        self._epochs: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._fits = {dataset: _Fit() for dataset in pixels}
        self._overheads: dict[str, float] = {}

    def trained(self, dataset: str, models: int, images: int, seconds: float) -> None:
        """Take note of what a stretch of training without compilation took."""
        if images > 0 and seconds > 0 and models >= 0:
            self._fits[dataset].add(models, images * self._pixels[dataset], seconds)

    def finished(self, block: Block, rows: pd.DataFrame, seconds: float | None) -> None:
        """Take note of a block's rows and, where this process trained it, of its wall time."""
        self._open[block.dataset, block.n] -= len(block.seeds)
        epochs = rows["epochs"].dropna()
        if len(epochs):
            self._epochs[block.dataset, block.n].append(float(epochs.mean()))
        if seconds is not None and block.dataset not in self._overheads:
            training = self._training(block.dataset, len(block.seeds), block.n * epochs.sum())
            self._overheads[block.dataset] = max(0.0, seconds - training)

    def seconds(self) -> float:
        """Estimate the time that all unfinished blocks take."""
        begun = self._overheads
        waiting = {d for (d, _), k in self._open.items() if k and d not in begun}
        overhead = sum(begun.values()) / len(begun) if begun else 0.0
        models = sum(self._cost(dataset, n, k) for (dataset, n), k in self._open.items())
        return models + overhead * len(waiting)

    def seconds_within(self, block: Block, elapsed: float, share: float) -> float:
        """Estimate the time left while a block is in work.

        Args:
            block: The unfinished block in work.
            elapsed: Seconds spent on it.
            share: Share of its models that are done, in [0, 1].
        """
        expected = self._cost(block.dataset, block.n, len(block.seeds))
        # A block that outruns its estimate still has its unfinished models to go.
        return self.seconds() - min(elapsed, expected * (0.9 + 0.1 * share))

    def _cost(self, dataset: str, n: int, subsets: int) -> float:
        return self._training(dataset, subsets, subsets * n * self._expected_epochs(dataset, n))

    def _training(self, dataset: str, models: int, images: float) -> float:
        everywhere = _Fit.joined(self._fits.values()).solve(_PER_MODEL, _PER_PIXEL)
        per_model, per_pixel = self._fits[dataset].solve(*everywhere)
        return models * per_model + images * self._pixels[dataset] * per_pixel

    def _expected_epochs(self, dataset: str, n: int) -> float:
        seen = [
            (other != dataset, max(size, n) / min(size, n), sum(epochs) / len(epochs))
            for (other, size), epochs in self._epochs.items()
        ]
        return min(seen)[2] if seen else _EPOCHS


class _Fit:
    """Least squares of seconds on models and pixels, drawn slightly towards a first guess."""

    def __init__(self) -> None:
        self._squares = np.zeros((2, 2))
        self._products = np.zeros(2)

    @classmethod
    def joined(cls, fits: "Iterable[_Fit]") -> "_Fit":
        """Return the fit to everything that several were given."""
        joined = cls()
        for fit in fits:
            joined._squares += fit._squares
            joined._products += fit._products
        return joined

    def add(self, models: float, pixels: float, seconds: float) -> None:
        x = np.array([models, pixels])
        self._squares += np.outer(x, x)
        self._products += x * seconds

    def solve(self, per_model: float, per_pixel: float) -> tuple[float, float]:
        """Return the seconds of a model and of a pixel; without data, the guesses given."""
        # The guess counts as much as having seen two such seconds, one of each kind.
        weight = np.array([1 / max(per_model, 1e-9), 1 / max(per_pixel, 1e-15)]) ** 2
        squares = self._squares + np.diag(weight)
        products = self._products + weight * (per_model, per_pixel)
        model, pixel = np.linalg.solve(squares, products)
        if model < 0:
            return 0.0, float(products[1] / squares[1, 1])
        if pixel < 0:
            return float(products[0] / squares[0, 0]), 0.0
        return float(model), float(pixel)
