"""`lcrjax train`: the reference model of a full dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli.completion import words_of
from lcrjax.cli.data_options import notes_of, read, reads_and_splits_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import SOME_FAILED, leave, work_in
from lcrjax.cli.parts import PARTS
from lcrjax.cli.steps import QUIET, say

if TYPE_CHECKING:
    from lcrjax.data import Dataset
    from lcrjax.training import FullProgress, FullResult


@reads_and_splits_data
def train(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    epochs: Annotated[
        int, typer.Option(help="Most epochs. The step size falls until the last.")
    ] = 20,
    target: Annotated[
        float, typer.Option(help="Training accuracy, in inference mode, at which training stops.")
    ] = 0.99,
    batch_size: Annotated[int, typer.Option(help="Images per step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="First step size of Adam.")] = 1e-3,
    schedule: Annotated[
        str,
        typer.Option(
            help="How the step size changes: cosine or constant.",
            autocompletion=words_of("lcrjax.training.config", "SCHEDULES"),
        ),
    ] = "cosine",
    validation: Annotated[
        float,
        typer.Option(
            help="Share of the training images to hold out, such as 0.1. The epoch with the best "
            "balanced accuracy on them is scored. 0 scores the last epoch, as the paper does."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    out: Annotated[Path, typer.Option(help="Folder of checkpoints, curve and scores.")] = Path(
        "lcrjax-train"
    ),
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Train a ResNet-18 on a whole dataset and score it on its test set.

    This is how the paper makes sure that a dataset is of high quality (Table II): AUC, accuracy
    and balanced accuracy of the reference model, without augmentation, with the learning curve.

    Run the same command to resume, whatever stopped it.

    Examples:
        lcrjax train digits --epochs 10
        lcrjax train blood.npz --out blood-reference
    """
    with work_in(out) as work:
        import logging

        from rich.console import Console

        from lcrjax.cli.epochs import EpochLines
        from lcrjax.study.run.reference import check_reference_folder, train_reference
        from lcrjax.training import FullConfig, TrainingConfig

        check_reference_folder(out)
        recipe = TrainingConfig(
            max_epochs=epochs,
            target_accuracy=target,
            batch_size=batch_size,
            learning_rate=learning_rate,
        )
        settings = FullConfig(recipe, schedule, validation, seed)
        dataset = read(data, quiet=quiet, resize=resize, **reading)
        work.ready = True
        logging.getLogger("absl").setLevel(logging.ERROR)  # orbax warns of what is no concern here
        say(f"Training on {len(dataset.train_labels):,} images of {dataset.name}.", quiet=quiet)
        with EpochLines(Console(stderr=True), quiet=quiet) as display:

            def show(progress: "FullProgress") -> None:
                display(progress)
                work.begin()

            result = train_reference(dataset, out, settings, progress=show, **PARTS.get())
        work.end()
        _conclude(dataset, result, out, as_json)
    if result.failure:
        leave(SOME_FAILED, f"{result.failure}; try a smaller --learning-rate.")


def _conclude(dataset: "Dataset", result: "FullResult", out: Path, as_json: bool) -> None:
    """Print a row of Table II, draw the learning curve, and say where everything lies."""
    from rich.console import Console
    from rich.table import Table

    from lcrjax.report.figures.learning_curve import learning_curve_figure
    from lcrjax.study.run.reference import LEARNING_CURVE, RESULT

    figure = out / "curve.png"
    learning_curve_figure({dataset.name: result.curve}).savefig(figure, dpi=200)
    scores = {key: result.scores[key] for key in ("auc", "acc", "bacc")}
    scores["train_accuracy"] = result.train_accuracy
    if as_json:
        print_json(
            {
                "dataset": dataset.name,
                "notes": notes_of(dataset),
                **scores,
                "epochs": result.epochs,
                "epoch": result.epoch,
                "failure": result.failure,
                "files": {"scores": out / RESULT, "curve": out / LEARNING_CURVE, "figure": figure},
            }
        )
        return
    console, table = Console(), Table()
    table.add_column("dataset")
    for column in ("AUC", "ACC", "BACC", "training accuracy", "epochs"):
        table.add_column(column, justify="right")
    table.add_row(dataset.name, *(f"{score:.4f}" for score in scores.values()), str(result.epochs))
    console.print(table)
    if result.epoch != result.epochs:
        console.print(f"The scores are of epoch {result.epoch}, the best on the validation images.")
    typer.echo(f"Scores: {out / RESULT}\nLearning curve: {out / LEARNING_CURVE}, {figure}")
