"""`lcrjax duplicates`: the pairs of a dataset that are nearly the same, as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import input_checked, interruptible
from lcrjax.cli.steps import QUIET
from lcrjax.cli.table_files import check_table, save_table

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 12


@reads_data
def duplicates(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    within: Annotated[
        bool, typer.Option("--within", help="Pairs of training elements of one class.")
    ] = False,
    across: Annotated[
        bool,
        typer.Option("--across", help="Pairs under two labels, also between training and test."),
    ] = False,
    train_test: Annotated[
        bool, typer.Option("--train-test", help="Pairs of a test and a training element.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Largest distance of near-duplicates; 0 for exact copies. By default chosen.",
        ),
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write all pairs: .csv, .parquet or .json.")
    ] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """List elements that are nearly the same, and groups in both training and test.

    The command compares all pairs of training elements, and all pairs of a test and a training
    element: images and vectors by RMSD, texts by the share of characters to edit, rows of a table
    by Gower's distance. It lists the closest pairs first, with names, splits, classes, distance and
    groups of both. --within, --across and --train-test choose among the pairs; without them all are
    listed.

    Examples:
        lcrjax duplicates digits
        lcrjax duplicates photos/ --resize 32 --train-test --out leaks.csv
        lcrjax duplicates vectors.npz --across --threshold 0.01 --out wrong.csv
        lcrjax duplicates reviews.csv --threshold 0.1
    """
    chosen = {"within": within, "across": across, "train-test": train_test}
    with interruptible("interrupted; no table was written.") as work:
        from rich.console import Console

        from lcrjax.cli.steps import choose_steps

        with input_checked():
            from lcrjax.report import near_duplicates
            from lcrjax.report.duplicates import PAIRS, group_leak

            if out is not None:
                check_table(out)
        with choose_steps(Console(stderr=True), quiet=quiet) as show, input_checked():

            def tell(stage: str, share: float) -> None:
                work.check()
                show(stage, share)

            dataset = read(data, quiet=quiet, show=tell, resize=resize, test_fraction=0, **reading)
            kinds = [kind for kind in PAIRS if chosen[kind]] or PAIRS
            pairs = near_duplicates(dataset, kinds=kinds, threshold=threshold, progress=tell)
    leak = group_leak(dataset)
    if as_json:
        print_json(
            {
                "dataset": dataset.name,
                "threshold": pairs.attrs["threshold"],
                **_counted(pairs),
                "group_leak": leak,
                "notes": notes_of(dataset),
                "pairs": pairs.to_dict("records"),
            }
        )
    else:
        _print(Console(), dataset.name, pairs)
        if leak is not None:
            typer.echo(f"{dataset.name}: {leak}")
    save_table(pairs, out, quiet=quiet)


def _counted(pairs: "pd.DataFrame") -> dict[str, int]:
    """How many pairs there are, under two labels, and between training and test."""
    return {
        "count": len(pairs),
        "under_two_labels": int((pairs["first_class"] != pairs["second_class"]).sum()),
        "train_test": int((pairs["kind"] == "train-test").sum()),
    }


def _print(console: Any, name: str, pairs: "pd.DataFrame") -> None:
    """Print how many pairs there are, and the closest ones."""
    from rich.table import Table
    from rich.text import Text

    _, labels, tests = _counted(pairs).values()
    said = f"{len(pairs):,} {'pair' if len(pairs) == 1 else 'pairs'} up to a distance of "
    said += f"{pairs.attrs['threshold']:.3g}: {labels:,} under two labels, "
    said += f"{tests:,} between training and test"
    said += "; elements were read in blocks" * pairs.attrs["in_blocks"]
    console.print(f"{name}: {said}.", markup=False, highlight=False, soft_wrap=True)
    if not len(pairs):
        return
    closest = f", the {_SHOWN} closest" if len(pairs) > _SHOWN else ""
    table = Table(title=Text(f"Near-duplicates{closest}"), title_justify="left")
    for column in ("first", "second", "classes"):
        table.add_column(column)
    table.add_column("distance", justify="right")
    for row in pairs.head(_SHOWN).to_dict("records"):
        classes = dict.fromkeys((row["first_class"], row["second_class"]))
        words = (f"{row[f'{end}_split']} {row[end]}" for end in ("first", "second"))
        cells = [*words, ", ".join(classes), f"{row['distance']:.3g}"]
        table.add_row(*map(Text, cells))
    console.print(table)
