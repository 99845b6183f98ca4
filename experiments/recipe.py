"""Compare training recipes: epochs to the criterion and performance on the test set.

    python -m experiments.recipe digits blood.npz pneumonia.npz

Every recipe sees the same random subsets with the same seeds, so that recipes can be compared
subset by subset. The same command goes on where it was cut off, with small subsets first. Results
go to experiments/results/recipe: rows.csv (one row per model) and table.md.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd

from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.data import load
from lcrjax.study.files import write_whole
from lcrjax.training import TrainingConfig, train_subsets

RESULTS = Path(__file__).parent / "results" / "recipe"
CHOSEN = "Adam 1e-3, batch 32"
RECIPES = {
    CHOSEN: {},
    "Adam 1e-3, batch 16": {"batch_size": 16},
    "Adam 1e-3, batch 64": {"batch_size": 64},
    "Adam 3e-3, batch 32": {"learning_rate": 3e-3},
    "AdamW 1e-3, decay 0.05, batch 32": {"optimizer": "adamw", "weight_decay": 0.05},
}
SUBSETS = {64: 12, 256: 8, 1024: 3}
KEYS = ["dataset", "n", "recipe"]


def random_subsets(labels: np.ndarray, size: int, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(len(labels))[:size] for _ in range(count)])


def summary(rows: pd.DataFrame) -> str:
    """Epochs and BACC of every recipe, and how it differs from the chosen one, as Markdown."""
    lines = [
        "| dataset, images | subsets | recipe | epochs | BACC | BACC minus that of the chosen "
        "(± standard error) | met the criterion |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, n), cell in rows.groupby(["dataset", "n"], sort=False):
        bacc = cell.pivot(index="subset", columns="recipe", values="bacc")
        for recipe in (r for r in RECIPES if r in bacc):
            mine = cell[cell["recipe"] == recipe]
            apart = (bacc[recipe] - bacc[CHOSEN]).dropna()
            if recipe == CHOSEN:
                text = ""
            else:
                error = apart.std() / math.sqrt(len(apart))
                text = f"{apart.mean():+.3f} ± {error:.3f}"
            shown = f"**{recipe}**" if recipe == CHOSEN else recipe
            lines.append(
                f"| {name}, {n:,} | {len(mine)} | {shown} | {mine['epochs'].mean():.1f} | "
                f"{mine['bacc'].mean():.3f} | {text} | {mine['converged'].sum()} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SUBSETS), choices=SUBSETS)
    parser.add_argument("--max-epochs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    keep_compiled_programs()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "rows.csv"
    rows = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=KEYS)
    finished = set(rows[KEYS].itertuples(index=False, name=None))
    datasets = [load(source) for source in options.data]
    for n in options.sizes:
        for dataset in datasets:
            subsets = random_subsets(dataset.train_labels, n, SUBSETS[n])
            for recipe, change in RECIPES.items():
                if (dataset.name, n, recipe) in finished:
                    continue
                config = TrainingConfig(**{"max_epochs": options.max_epochs, **change})
                table = train_subsets(dataset, subsets, range(len(subsets)), config)
                table.insert(0, "subset", range(len(subsets)))
                for key, value in zip(KEYS, (dataset.name, n, recipe), strict=True):
                    table.insert(0, key, value)
                rows = pd.concat([rows, table], ignore_index=True) if len(rows) else table
                write_whole(path, rows.to_csv(index=False, float_format="%.6g").encode())
                write_whole(options.out / "table.md", summary(rows).encode())
                means = table[["epochs", "bacc", "converged", "seconds"]].astype(float).mean()
                print(f"{dataset.name} {n} {recipe}: {means.round(3).to_dict()}", flush=True)


if __name__ == "__main__":
    main()
