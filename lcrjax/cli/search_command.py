"""`lcrjax search`: which features explain performance best."""

from pathlib import Path
from typing import Annotated

import typer

from lcrjax.cli.outcome import input_checked


def search(
    source: Annotated[
        Path, typer.Argument(help="A study's folder, or a table (.parquet, .csv) of one.")
    ],
    target: Annotated[str, typer.Option(help="What to explain: bacc, acc or auc.")] = "bacc",
    size: Annotated[int, typer.Option(help="How many features together.", min=1)] = 1,
    top: Annotated[int, typer.Option(help="How many combinations to print.", min=1)] = 10,
) -> None:
    """Rank every combination of so many features by adjusted R².

    Each is regressed on in natural logs, with the number of pixels, channels and classes.

    Example:
        lcrjax search lcrjax-study --size 2 --top 20
    """
    with input_checked():
        from rich.console import Console
        from rich.table import Table

        from lcrjax.report import notes
        from lcrjax.study.analysis.combinations import search as rank
        from lcrjax.study.run.store import read_results

        found = rank(read_results(source), target, size)

    console = Console()
    for line in notes(found):
        console.print(line, markup=False)
    table = Table()
    table.add_column("", justify="right")
    table.add_column("features" if size > 1 else "feature")
    table.add_column("adjusted R²", justify="right")
    table.add_column("R²", justify="right")
    best = zip(*(found.head(top)[c] for c in ("features", "adj_r2", "r2")), strict=True)
    for place, (features, adjusted, r2) in enumerate(best, start=1):
        table.add_row(str(place), " + ".join(features), f"{adjusted:.4f}", f"{r2:.4f}")
    console.print(table)
    if len(found) > top:
        console.print(f"The best {top} of {len(found):,} combinations; --top shows more.")
