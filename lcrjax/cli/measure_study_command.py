"""`lcrjax measure-study`: more measures of a finished study, without training."""

from pathlib import Path
from typing import Annotated

import typer

from lcrjax.cli.completion import SIMILARITIES
from lcrjax.cli.help_texts import SIMILARITY_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import input_checked, work_in
from lcrjax.cli.steps import QUIET


def measure_study(
    folder: Annotated[Path, typer.Argument(help="The finished study's folder.")],
    similarity: Annotated[
        list[str],
        typer.Option(
            help=f"What to measure with; may be repeated. {SIMILARITY_HELP}",
            autocompletion=SIMILARITIES,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets' files. By default the current folder."),
    ] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Measure a finished study's subsets with more similarities, without training.

    The command designs the subsets again, bit for bit. It measures the paper's diversities, how
    ordinary a subset's other training images are in it, and how well their nearest member
    classifies them. It adds columns such as A_0[rmsd:10] to the study, in measures.parquet.
    Existing columns stay, and are not measured again. lcrjax search can then rank the new ones.

    Examples:
        lcrjax measure-study lcrjax-study --similarity rmsd:10
        lcrjax measure-study my-study --similarity rmsd:10 --similarity cosine --data files/
    """
    with work_in(folder) as work:
        from rich.console import Console

        from lcrjax.cli.steps import choose_steps
        from lcrjax.study import add_measures
        from lcrjax.study.measuring.names import added_columns
        from lcrjax.study.run.store import ADDED

        with choose_steps(Console(stderr=True), quiet=quiet) as show, input_checked():

            def tell(stage: str, share: float) -> None:
                work.check()
                show(stage, share)

            table = add_measures(folder, similarity, data=data, progress=tell)
    columns = added_columns(table)
    if as_json:
        files = {"measures": folder / ADDED}
        print_json({"subsets": len(table), "columns": columns, "files": files})
    else:
        typer.echo(f"{len(table)} subsets have {len(columns)} added measures: {folder / ADDED}")
