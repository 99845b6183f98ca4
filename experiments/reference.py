"""The paper's Table II on datasets at hand: one reference ResNet-18 trained on all of each.

Run `python -m experiments.reference DATA ...`, for instance

    python -m experiments.reference blood.npz pneumonia.npz mednist.npz
    python -m experiments.reference /usr/share/datasets/fashion-mnist --epochs 5

with names and files that `lcrjax.data.load` understands. Each dataset is trained in a folder of
its own below --runs: run the same command to resume. Results of all datasets
trained so far are written to experiments/results/reference: results.csv, table.md (in the form of
Table II), curves.csv and learning-curves.png.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.cli.epochs import epoch_line
from lcrjax.data import load
from lcrjax.report import learning_curve_figure
from lcrjax.study.run.folder import CONFIG
from lcrjax.study.run.reference import LEARNING_CURVE, RESULT, train_reference
from lcrjax.training import FullConfig, FullProgress, TrainingConfig

RESULTS = Path(__file__).parent / "results" / "reference"


def show(progress: FullProgress) -> None:
    if progress.fresh:
        print(epoch_line(progress.curve[-1], progress.max_epochs), flush=True)


def summary(table: pd.DataFrame) -> str:
    """Write the results in the form of Table II, as Markdown."""
    lines = [
        "| Data set | training images | AUC | ACC | BACC | training accuracy | epochs |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['run']} | {row['train']:,} | {row['auc']:.3f} | {row['acc']:.3f} | "
            f"{row['bacc']:.3f} | {row['train_accuracy']:.3f} | "
            f"{row['epochs']} of {row['max_epochs']} |"
        )
    return "\n".join(lines) + "\n"


def collect(runs: Path) -> None:
    """Gather what lies finished below `runs` into tables and a figure."""
    rows, curves = [], {}
    for path in sorted(runs.glob(f"*/{RESULT}")):
        summary = json.loads(path.read_text())
        decides = json.loads((path.parent / CONFIG).read_text())["decides"]
        (data,) = decides["datasets"].values()
        recipe = decides["reference"]["training"]
        rows.append(
            {
                "dataset": summary["dataset"],
                "train": data["train"],
                "test": data["test"],
                **{key: summary[key] for key in ("auc", "auc_micro", "acc", "bacc")},
                **{key: summary[key] for key in ("epochs", "train_accuracy", "converged")},
                "max_epochs": recipe["max_epochs"],
                "batch_size": recipe["batch_size"],
                "learning_rate": recipe["learning_rate"],
                "schedule": decides["reference"]["schedule"],
                "run": path.parent.name,
                "seconds": round(summary["seconds"], 1),
            }
        )
        curves[path.parent.name] = pd.read_csv(path.parent / LEARNING_CURVE)
    table = pd.DataFrame(rows)
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / "results.csv", index=False, float_format="%.5f")
    long = pd.concat([curve.assign(run=name) for name, curve in curves.items()])
    long.to_csv(RESULTS / "curves.csv", index=False, float_format="%.5f")
    learning_curve_figure(curves).savefig(RESULTS / "learning-curves.png", dpi=150)
    (RESULTS / "table.md").write_text(summary(table))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", help="none: only gather what is finished")
    parser.add_argument("--runs", type=Path, default=RESULTS / "runs")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--target", type=float, default=0.99)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--schedule", default="cosine")
    parser.add_argument("--label", default="", help="added to the name of the run")
    options = parser.parse_args()
    keep_compiled_programs()
    recipe = TrainingConfig(
        max_epochs=options.epochs, target_accuracy=options.target, batch_size=options.batch_size
    )
    for source in options.data:
        dataset = load(source)
        print(f"{dataset.name}: {len(dataset.train_labels):,} training images", flush=True)
        folder = options.runs / f"{dataset.name}{options.label}"
        train_reference(dataset, folder, FullConfig(recipe, options.schedule), progress=show)
        collect(options.runs)
    if not options.data:
        collect(options.runs)


if __name__ == "__main__":
    main()
