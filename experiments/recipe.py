"""Compare training recipes: epochs to the criterion and performance on the test set.

    python experiments/recipe.py DATA ... --sizes 64 256 --subsets 4 --out recipes.csv

DATA are names or files that `lcrjax.data.load` understands. Every recipe sees the same subsets
with the same seeds. Rows are appended as they come, so a run can be cut off and read.
"""

import argparse
import dataclasses
import itertools
import time
from pathlib import Path

import numpy as np

from lcrjax.data import load
from lcrjax.training import TrainingConfig, train_subsets

RECIPES = {
    "adam 1e-3, batch 64": {"batch_size": 64},
    "adam 3e-3, batch 64": {"batch_size": 64, "learning_rate": 3e-3},
    "adam 1e-3, batch 32": {"batch_size": 32},
    "adam 3e-3, batch 32": {"batch_size": 32, "learning_rate": 3e-3},
    "adam 3e-4, batch 16": {"batch_size": 16, "learning_rate": 3e-4},
    "adam 1e-3, batch 16": {"batch_size": 16},
    "adam 3e-3, batch 16": {"batch_size": 16, "learning_rate": 3e-3},
    "adamw 1e-3, decay 0.05, batch 16": {
        "batch_size": 16,
        "optimizer": "adamw",
        "weight_decay": 0.05,
    },
    "sgd 0.05, batch 64": {"batch_size": 64, "optimizer": "sgd", "learning_rate": 0.05},
    "sgd 0.02, batch 16": {"batch_size": 16, "optimizer": "sgd", "learning_rate": 0.02},
    "sgd 0.05, batch 16": {"batch_size": 16, "optimizer": "sgd", "learning_rate": 0.05},
}


def random_subsets(labels: np.ndarray, size: int, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(len(labels))[:size] for _ in range(count)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--subsets", type=int, default=4)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--max-epochs", type=int, default=100)
    parser.add_argument("--check-above", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=Path("recipes.csv"))
    args = parser.parse_args()

    for source, size, name in itertools.product(args.data, args.sizes, args.recipes):
        dataset = load(source)
        config = TrainingConfig(
            **{"max_epochs": args.max_epochs, "check_above": args.check_above, **RECIPES[name]}
        )
        subsets = random_subsets(dataset.train_labels, size, args.subsets)
        began = time.perf_counter()
        table = train_subsets(dataset, subsets, range(args.subsets), config)
        table.insert(0, "recipe", name)
        table.insert(0, "n", size)
        table.insert(0, "dataset", dataset.name)
        for field in dataclasses.fields(config):
            table[f"config_{field.name}"] = getattr(config, field.name)
        table.to_csv(args.out, mode="a", header=not args.out.exists(), index=False)
        means = table[["epochs", "acc", "bacc", "auc", "converged"]].mean()
        print(
            f"{dataset.name:12} {size:5} {name:34} "
            + "  ".join(f"{key} {value:.3f}" for key, value in means.items())
            + f"  {time.perf_counter() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
