"""How much of BACC can be explained at all: the same subsets trained from other seeds.

    python -m experiments.ceiling FOLDER_WITH_THE_NPZ_FILES

60 of the panel's subsets of up to 256 images, chosen evenly over datasets, sizes and balances, are
trained with four more seeds each, and scored at the criterion and 30 epochs later. Rows are saved
after each block, all subsets of one seed before the next: run the same command to resume.
Results go to experiments/results/ceiling. It takes an hour or two on two cores.
"""

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.ceiling_tables import write
from experiments.options import add_ray
from experiments.panel import RESULTS as PANEL
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.data import Dataset
from lcrjax.study import read_results
from lcrjax.study.measuring.finished import designed_subsets, load_datasets
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.folder import read_description
from lcrjax.study.run.plan import Block
from lcrjax.study.run.store import RESULTS as TABLE
from lcrjax.study.run.trainings import train_blocks
from lcrjax.training import TrainingConfig

RESULTS = Path(__file__).parent / "results" / "ceiling"
SUBSETS, SEEDS, LARGEST, BEYOND = 60, 4, 256, 30
KEYS = ["dataset", "n", "subset"]


def chosen(panel: pd.DataFrame, count: int = SUBSETS) -> pd.DataFrame:
    """Rows of so many subsets of the panel, evenly over datasets, sizes and balances."""
    small = panel[panel["n"] <= LARGEST].sort_values(KEYS)
    return small.iloc[np.linspace(0, len(small) - 1, count).round().astype(int)]


def new_seed(old: int, repetition: int) -> int:
    """Seed of a repetition of a training."""
    return int(np.random.SeedSequence([old, repetition]).generate_state(1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of the panel's .npz files")
    parser.add_argument("--panel", type=Path, default=PANEL)
    parser.add_argument("--out", type=Path, default=RESULTS)
    add_ray(parser)
    options = parser.parse_args()
    keep_compiled_programs()
    options.out.mkdir(parents=True, exist_ok=True)
    decides = read_description(options.panel)["decides"]
    panel = read_results(options.panel / TABLE)
    recipe = dataclasses.replace(TrainingConfig(**decides["training"]), beyond=BEYOND)
    found = load_datasets(decides, options.data)
    blocks = missing_blocks(decides, found, panel, _rows(options.out))
    for block, rows in train_blocks({d.name: d for d in found}, blocks, recipe, ray=options.ray):
        _save(pd.concat([_rows(options.out), rows], ignore_index=True), options.out)
        print(f"{block.dataset} {block.n}, seed {block.index}: {len(rows)} models", flush=True)
    write(_rows(options.out), panel, options.out)


def missing_blocks(
    decides: dict[str, Any], datasets: Sequence[Dataset], panel: pd.DataFrame, done: pd.DataFrame
) -> Iterator[Block]:
    """Blocks of the chosen subsets that no row is of: a seed, a size and a dataset in each."""
    designed = list(designed_subsets(decides, datasets, panel))
    wanted = chosen(panel)
    cells = ["dataset", "n", "repetition"]
    finished = set(done[cells].itertuples(index=False, name=None)) if len(done) else set()
    for repetition in range(1, SEEDS + 1):
        for n in sorted(set(wanted["n"])):
            for dataset, rows, subsets in designed:
                own = [
                    (row, subset)
                    for row, subset in zip(rows.itertuples(), subsets, strict=True)
                    if row.Index in wanted.index and row.n == n
                ]
                if not own or (dataset.name, n, repetition) in finished:
                    continue
                seeds = np.array([new_seed(row.seed, repetition) for row, _ in own])
                design = {key: np.array([getattr(row, key) for row, _ in own]) for key in KEYS}
                design |= {"repetition": np.full(len(own), repetition), "seed": seeds}
                taken = np.stack([subset for _, subset in own])
                yield Block(dataset.name, n, repetition, 0, taken, seeds, design)


def _rows(folder: Path) -> pd.DataFrame:
    path = folder / "rows.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _save(rows: pd.DataFrame, folder: Path) -> None:
    write_whole(folder / "rows.csv", rows.to_csv(index=False, float_format="%.6g").encode())


if __name__ == "__main__":
    main()
