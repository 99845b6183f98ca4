"""`lcrjax search`: which features explain performance best."""

from pathlib import Path
from typing import Annotated

import typer

from lcrjax.cli.completion import TARGETS
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import input_checked
from lcrjax.cli.steps import QUIET
from lcrjax.cli.table_files import check_table, save_table


def search(
    source: Annotated[
        Path, typer.Argument(help="A study's folder, or a table (.parquet, .csv) of one.")
    ],
    target: Annotated[
        str, typer.Option(help="What to explain: bacc, acc or auc.", autocompletion=TARGETS)
    ] = "bacc",
    size: Annotated[int, typer.Option(help="Features in a combination.", min=1)] = 1,
    features: Annotated[
        str | None,
        typer.Option(
            help="Candidates, such as size,A_0[rmsd:10]. rmsd:10 stands for all features that "
            "were measured with it. By default all."
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Combinations to print.", min=1)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Write all combinations: .csv, .parquet or .json.")
    ] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Rank all combinations of --size features by adjusted R².

    Each regression has the features, and the number of pixels, channels and classes, in natural
    logs.

    Examples:
        lcrjax search lcrjax-study --size 2 --top 20
        lcrjax search my-study --features size,rmsd:10
        lcrjax search my-study --size 2 --out pairs.csv
    """
    with input_checked():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        from lcrjax.report import notes
        from lcrjax.study.analysis.combinations import search as rank
        from lcrjax.study.measuring.names import chosen
        from lcrjax.study.run.store import read_results

        if out is not None:
            check_table(out)
        table = read_results(source)
        wanted = None if features is None else [word.strip() for word in features.split(",")]
        found = rank(table, target, size, features=chosen(table, wanted))

    listed = found.assign(
        rank=range(1, len(found) + 1), features=found["features"].map(" + ".join)
    )[["rank", "features", "adj_r2", "r2", "n"]].rename(columns={"n": "subsets"})
    if as_json:
        best = listed.head(top).to_dict("records")
        about = {"target": target, "together": size, "combinations": len(found)}
        print_json({**about, "notes": notes(found), "rows": best})
    else:
        console = Console()
        for line in notes(found):
            console.print(line, markup=False)
        shown = Table()
        shown.add_column("", justify="right")
        shown.add_column("features" if size > 1 else "feature")
        shown.add_column("adjusted R²", justify="right")
        shown.add_column("R²", justify="right")
        for row in listed.head(top).to_dict("records"):
            scores = (f"{row[name]:.4f}" for name in ("adj_r2", "r2"))
            shown.add_row(str(row["rank"]), Text(row["features"]), *scores)
        console.print(shown)
        if len(found) > top:
            console.print(f"The best {top} of {len(found):,} combinations; --top shows more.")
    save_table(listed, out, quiet=quiet)
