"""Common parts of experiments that train variants of the recipe on the same subsets."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lcrjax.study.run.files import write_whole
from lcrjax.training import train_subsets
from lcrjax.training.config import TrainingConfig


def random_subsets(labels: np.ndarray, size: int, count: int, seed: int = 0) -> np.ndarray:
    """Draw (count, size) indices without repetition within a subset."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(len(labels))[:size] for _ in range(count)])


def difference(apart: pd.Series) -> tuple[float, float]:
    """Mean of paired differences and its standard error."""
    return float(apart.mean()), float(apart.std() / math.sqrt(len(apart)))


class Rows:
    """Rows of an experiment in a folder: finished ones are read back and not trained again.

    Args:
        folder: Where rows.csv (one row per model) and the tables are kept.
        variant: Column that names the variant, besides `dataset` and `n`.
        tables: By file name, what turns all rows into Markdown.
    """

    def __init__(
        self, folder: Path, variant: str, tables: dict[str, Callable[[pd.DataFrame], str]]
    ):
        self.folder, self.tables = folder, tables
        self.keys = ["dataset", "n", variant]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "rows.csv"
        self.table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=self.keys)

    def train(
        self, dataset: Any, subsets: np.ndarray, variant: str, config: TrainingConfig
    ) -> None:
        """Train what is missing of one cell, subset i with seed i, and keep it."""
        cell = (dataset.name, subsets.shape[1], variant)
        finished = sum(
            row == cell for row in self.table[self.keys].itertuples(index=False, name=None)
        )
        places = range(finished, len(subsets))
        if not places:
            return
        rows = train_subsets(dataset, subsets[finished:], places, config)
        rows.insert(0, "subset", places)
        for key, value in zip(self.keys, cell, strict=True):
            rows.insert(0, key, value)
        self.table = pd.concat([self.table, rows], ignore_index=True) if len(self.table) else rows
        csv = self.table.to_csv(index=False, float_format="%.6g")
        write_whole(self.folder / "rows.csv", csv.encode())
        self.write_tables()
        means = rows[["epochs", "bacc", "converged", "seconds"]].astype(float).mean()
        print(*cell, means.round(3).to_dict(), flush=True)

    def write_tables(self) -> None:
        """Write the tables of the rows there are."""
        for name, summary in self.tables.items():
            write_whole(self.folder / name, summary(self.table).encode())
