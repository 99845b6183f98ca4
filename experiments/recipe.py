"""Comparison of training recipes: epochs to the criterion and performance on the test set.

    python -m experiments.recipe digits blood.npz pneumonia.npz

Every recipe sees the same random subsets with the same seeds, so that recipes can be compared
subset by subset. Run the same command to resume; small subsets come first. Results
go to experiments/results/recipe: rows.csv (one row per model), table.md (every dataset and size)
and pooled.md (all datasets together).
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
    "Adam 1e-3, batch 32, cosine over 10 epochs": {"schedule": "cosine", "schedule_epochs": 10},
    "Adam 3e-3, batch 32, cosine over 10 epochs": {
        "learning_rate": 3e-3,
        "schedule": "cosine",
        "schedule_epochs": 10,
    },
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


def pooled(rows: pd.DataFrame) -> str:
    """Compare every recipe with the chosen one over the subsets both saw, as Markdown."""
    sizes = sorted(rows["n"].unique())
    heads = [f"{n:,} images" for n in sizes]
    lines = ["| " + " | ".join(["recipe", *heads]) + " |", "|---" * (1 + len(sizes)) + "|"]
    seen = ["dataset", "n", "subset"]
    chosen = rows[rows["recipe"] == CHOSEN].set_index(seen)
    cells = [
        f"{cell['epochs'].mean():.1f} epochs, {cell['bacc'].mean():.3f}"
        for _, cell in chosen.groupby("n")
    ]
    lines.append(f"| **{CHOSEN}** | " + " | ".join(cells) + " |")
    for recipe in (r for r in RECIPES if r != CHOSEN and r in set(rows["recipe"])):
        mine = rows[rows["recipe"] == recipe].set_index(seen)
        pairs = mine.join(chosen, how="inner", suffixes=("", "_chosen"))
        cells = []
        for n in sizes:
            both = pairs[pairs.index.get_level_values("n") == n]
            if both.empty:
                cells.append("")
                continue
            mean, error = difference(both["bacc"] - both["bacc_chosen"])
            ratio = both["epochs"].sum() / both["epochs_chosen"].sum()
            cells.append(f"× {ratio:.1f}, {mean:+.3f} ± {error:.3f} ({len(both)})")
        lines.append(f"| {recipe} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", help="none: only write the tables of finished rows")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SUBSETS), choices=SUBSETS)
    parser.add_argument("--max-epochs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    keep_compiled_programs()
    rows = Rows(options.out, "recipe", {"table.md": summary, "pooled.md": pooled})
    if not options.data:
        rows.write_tables()
    datasets = [load(source) for source in options.data]
    for n in options.sizes:
        for dataset in datasets:
            subsets = random_subsets(dataset.train_labels, n, SUBSETS[n])
            for recipe, change in RECIPES.items():
                config = TrainingConfig(**{"max_epochs": options.max_epochs, **change})
                rows.train(dataset, subsets, recipe, config)


if __name__ == "__main__":
    main()
