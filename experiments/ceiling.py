"""How much of BACC can be explained at all: the same subsets trained from other seeds.

    python -m experiments.ceiling FOLDER_WITH_THE_NPZ_FILES

60 of the panel's subsets of up to 256 images, chosen evenly over datasets, sizes and balances, are
trained with four more seeds each, and scored at the criterion and 30 epochs later. Rows are saved
after each block, all subsets of one seed before the next: run the same command to resume.
Results go to experiments/results/ceiling. It takes an hour or two on two cores.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.ceiling_tables import write
from experiments.panel import RESULTS as PANEL
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.study import read_results
from lcrjax.study.measuring.finished import designed_subsets, load_datasets
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.folder import read_description
from lcrjax.study.run.store import RESULTS as TABLE
from lcrjax.training import TrainingConfig, train_subsets

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
    options = parser.parse_args()
    keep_compiled_programs()
    options.out.mkdir(parents=True, exist_ok=True)
    decides = read_description(options.panel)["decides"]
    panel = read_results(options.panel / TABLE)
    recipe = dataclasses.replace(TrainingConfig(**decides["training"]), beyond=BEYOND)
    found = load_datasets(decides, options.data)
    designed = list(designed_subsets(decides, found, panel))
    wanted = set(chosen(panel).index)
    for repetition in range(1, SEEDS + 1):
        for n in sorted(set(panel.loc[list(wanted), "n"])):
            for dataset, rows, subsets in designed:
                own = [
                    (row, subset)
                    for row, subset in zip(rows.itertuples(), subsets, strict=True)
                    if row.Index in wanted and row.n == n
                ]
                done = _rows(options.out)
                if len(done):
                    same = (done["dataset"] == dataset.name) & (done["n"] == n)
                    if (same & (done["repetition"] == repetition)).any():
                        continue
                seeds = [new_seed(row.seed, repetition) for row, _ in own]
                table = train_subsets(dataset, [subset for _, subset in own], seeds, recipe)
                table.insert(0, "seed", seeds)
                table.insert(0, "repetition", repetition)
                for key in reversed(KEYS):
                    table.insert(0, key, [getattr(row, key) for row, _ in own])
                _save(pd.concat([done, table], ignore_index=True), options.out)
                print(f"{dataset.name} {n}, seed {repetition}: {len(own)} models", flush=True)
    write(_rows(options.out), panel, options.out)


def _rows(folder: Path) -> pd.DataFrame:
    path = folder / "rows.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _save(rows: pd.DataFrame, folder: Path) -> None:
    write_whole(folder / "rows.csv", rows.to_csv(index=False, float_format="%.6g").encode())


if __name__ == "__main__":
    main()
