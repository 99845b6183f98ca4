"""Balanced accuracy with products in bfloat16 beside that with products in float32.

    python -m experiments.precision blood.npz

Both precisions see the same random subsets with the same seeds: 16 subsets each of 64, 256 and
1,024 images of every dataset. Run the same command to resume, and with more
--subsets to add to what is there, small subsets first. Results go to experiments/results/precision:
rows.csv (one row per model) and table.md.
"""

import argparse
from pathlib import Path

import pandas as pd

from experiments.paired import Rows, difference, random_subsets
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.data import load
from lcrjax.training import TrainingConfig

RESULTS = Path(__file__).parent / "results" / "precision"
PRECISIONS = ("float32", "bfloat16")
FEWEST = 40
MARGIN = 0.01


def verdict(apart: pd.Series) -> str:
    """Say in a sentence whether BACC may be called unchanged.

    Unchanged means that nothing was found (zero within two standard errors) and that it would
    have been: the two standard errors about the mean stay within a margin of one hundredth.
    """
    if len(apart) < FEWEST:
        return f"Too few pairs for a verdict: {len(apart)} of at least {FEWEST}."
    mean, error = difference(apart)
    if abs(mean) > 2 * error:
        return "BACC differs by more than noise: keep float32."
    if abs(mean) + 2 * error > MARGIN:
        return f"No difference found, but one of {MARGIN} could hide in the noise: add subsets."
    return f"BACC is unchanged within noise, and within {MARGIN}: bfloat16 may be used."


def summary(rows: pd.DataFrame) -> str:
    """Differences in BACC by size and over all pairs, with a verdict, as Markdown."""
    keys = ["dataset", "n", "subset"]
    if not set(PRECISIONS) <= set(rows["precision"]):
        return "Only one precision has been trained so far.\n"
    wide = rows.pivot(index=keys, columns="precision", values=["bacc", "epochs", "seconds"])
    wide = wide.astype(float).dropna()
    lines = [
        "| dataset, images | pairs | epochs, float32 / bfloat16 | BACC, float32 / bfloat16 | "
        "BACC of bfloat16 minus float32 (± standard error) | seconds, float32 / bfloat16 |",
        "|---|---|---|---|---|---|",
    ]
    cells = [(f"{name}, {n:,}", cell) for (name, n), cell in wide.groupby(["dataset", "n"])]
    for name, cell in [*cells, ("all", wide)]:
        mean = cell.mean()
        both = {
            key: " / ".join(f"{mean[key, p]:.3f}" for p in PRECISIONS)
            for key in mean.index.levels[0]
        }
        apart, error = difference(cell["bacc", "bfloat16"] - cell["bacc", "float32"])
        lines.append(
            f"| {name} | {len(cell)} | {both['epochs']} | {both['bacc']} | "
            f"{apart:+.4f} ± {error:.4f} | {both['seconds']} |"
        )
    told = verdict(wide["bacc", "bfloat16"] - wide["bacc", "float32"])
    return "\n".join(lines) + f"\n\n{told}\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--subsets", type=int, default=16, help="of each size and dataset")
    parser.add_argument("--max-epochs", type=int, default=TrainingConfig().max_epochs)
    parser.add_argument("--base-channels", type=int, default=64, help="fewer for a trial")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.subsets < 2:
        parser.error("a standard error needs --subsets of at least 2")
    keep_compiled_programs()
    rows = Rows(options.out, "precision", {"table.md": summary})
    datasets = [load(source) for source in options.data]
    for n in options.sizes:
        for dataset in datasets:
            subsets = random_subsets(dataset.train_labels, n, options.subsets)
            for precision in PRECISIONS:
                config = TrainingConfig(
                    precision=precision,
                    max_epochs=options.max_epochs,
                    base_channels=options.base_channels,
                )
                rows.train(dataset, subsets, precision, config)
    print(summary(rows.table))


if __name__ == "__main__":
    main()
