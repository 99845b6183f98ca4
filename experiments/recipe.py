"""Compare training recipes: epochs to the criterion and performance on the test set.

    python -m experiments.recipe digits blood.npz pneumonia.npz

Every recipe sees the same random subsets with the same seeds, so that recipes can be compared
subset by subset. The same command goes on where it was cut off, with small subsets first. Results
go to experiments/results/recipe: rows.csv (one row per model) and table.md.
"""

import argparse
from pathlib import Path

import pandas as pd

from experiments.paired import Rows, difference, random_subsets
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.data import load
from lcrjax.training import TrainingConfig

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
                mean, error = difference(apart)
                text = f"{mean:+.3f} ± {error:.3f}"
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
    rows = Rows(options.out, "recipe", summary)
    datasets = [load(source) for source in options.data]
    for n in options.sizes:
        for dataset in datasets:
            subsets = random_subsets(dataset.train_labels, n, SUBSETS[n])
            for recipe, change in RECIPES.items():
                config = TrainingConfig(**{"max_epochs": options.max_epochs, **change})
                rows.train(dataset, subsets, recipe, config)


if __name__ == "__main__":
    main()
