"""`lcrjax measure`: the diversities of a dataset and its classes."""

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli import values
from lcrjax.cli.completion import SIMILARITIES
from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP, SIMILARITY_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import input_checked, interruptible
from lcrjax.cli.steps import QUIET, say
from lcrjax.cli.table_files import check_table, save_table

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from lcrjax.measures.result import Diversity

#: Columns: capital letters are of the dataset, Greek ones of a class.
_LETTERS = {
    "ᾱ": "normalized_alpha",
    "A, α": "alpha",
    "R, ρ̄": "normalized_rho",
    "G, γ": "gamma",
    "B, β̄": "normalized_beta",
}
_RARE = (
    "Rare classes have the largest α, since it is divided by the class's share: compare classes by "
    "ᾱ, the number of distinct {kind} in the class."
)


@reads_data
def measure(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    q: Annotated[
        str,
        typer.Option(
            "--q",
            help="Viewpoints: 0 counts rare elements as much as common ones, inf counts only the "
            "most ordinary.",
        ),
    ] = "0,1,inf",
    similarity: Annotated[
        str | None, typer.Option(help=SIMILARITY_HELP, autocompletion=SIMILARITIES)
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            help="Estimate, with 95 % intervals: compare a sample of this many elements with all. "
            "At q = inf this gives bounds."
        ),
    ] = None,
    error: Annotated[
        str | None,
        typer.Option(
            help="Estimate the dataset's A, R and G this closely, such as 0.2%: enlarge the sample "
            "until half the width of each interval is at most this share of its value."
        ),
    ] = None,
    columns: Annotated[
        int | None,
        typer.Option(
            help="With --rows: compare the sample with this many sampled elements, not with all. "
            "The time then does not grow with the dataset. With --error: this many at first."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample.")] = 0,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A folder for partial sums. After a kill, run the same command to resume."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write the table: .csv, .parquet or .json, with all nine measures."),
    ] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Measure how diverse a dataset's images, vectors, texts or rows are, and each of its classes.

    ᾱ (normalized alpha) says how many distinct elements a class has, whatever its size: compare
    classes by it. A, α (alpha) is the effective number of element-class pairs, R, ρ̄ (normalized
    rho) how well a class represents the dataset, G, γ (gamma) how distinct its elements are within
    the dataset, and B, β̄ (normalized beta) how distinct the class is. Capital letters are of the
    dataset, Greek ones of a class.

    Examples:
        lcrjax measure digits
        lcrjax measure blood.npz --q 0,1,2,inf --out blood.csv
        lcrjax measure digits --similarity rmsd:10
        lcrjax measure embeddings.npz --similarity gaussian:median
        lcrjax measure embeddings.npz --error 0.2%
        lcrjax measure embeddings.npz --error 1% --columns 2000
        lcrjax measure vectors.npy --labels classes.csv:kind --checkpoint sums/
    """
    kept = "" if checkpoint is None else f" Run the same command to resume from {checkpoint}."
    ending = f"interrupted; no table was written.{kept}"
    with interruptible(ending), input_checked():
        from lcrjax.similarity.spec import (
            USUAL,
            as_similarity,
            check_similarity,
            compares_numbers,
            describe_similarity,
        )

        viewpoints = values.orders(q)
        if rows is not None and rows < 1:
            raise ValueError(f"--rows is {rows}: give how many elements to sample, such as 4096")
        if rows is not None and error is not None:
            raise ValueError("--rows and --error are given: give one of them")
        precision = None if error is None else values.share(error)
        if columns is not None and rows is None and error is None:
            raise ValueError(
                f"--columns is {columns}, and neither --rows nor --error is given: give one of them"
            )
        if checkpoint is not None and (rows is not None or error is not None):
            raise ValueError(
                "--checkpoint keeps sums over all pairs, and a sample is asked for: leave it out"
            )
        if similarity is not None:
            check_similarity(similarity)
        if out is not None:
            check_table(out)
        in_blocks = similarity is None or compares_numbers(similarity)
        dataset = read(
            data, quiet=quiet, resize=resize, test_fraction=0, in_blocks=in_blocks, **reading
        )
    if dataset.test is not None:
        say(
            f"{dataset.name}: the training set of {len(dataset.train):,} is measured, "
            f"the test set of {len(dataset.test):,} is not.",
            quiet=quiet,
        )
    from rich.console import Console

    from lcrjax.cli.steps import choose_steps

    with (
        interruptible(ending),
        choose_steps(Console(stderr=True), quiet=quiet) as show,
        input_checked(),
    ):
        word = similarity or USUAL[dataset.kind]
        check_similarity(word, dataset.kind)

        import numpy as np

        from lcrjax import measure as measure_elements
        from lcrjax.measures.flatness import flat_remark
        from lcrjax.numerics.progress import telling
        from lcrjax.numerics.streams import Stream
        from lcrjax.similarity.in_blocks import large_as_stream

        alike, elements, _ = as_similarity(word, large_as_stream(word, dataset.train.elements))
        so_read = ", read in blocks" * isinstance(elements, Stream)
        stage = f"comparing {len(dataset.train):,} {dataset.kind}{so_read}"
        show(stage, 0.0)
        with telling(functools.partial(show, stage)):
            found = measure_elements(
                elements,
                dataset.train_labels,
                q=np.asarray(viewpoints),
                similarity=alike,
                class_names=dataset.class_names,
                rows=rows,
                columns=columns,
                error=precision,
                seed=seed,
                checkpoint=checkpoint,
            )

    frame, sizes = found.to_frame(), np.bincount(dataset.train_labels).tolist()
    counts, console = dict(zip(dataset.class_names, sizes, strict=True)), Console()
    said = describe_similarity(word, alike, dataset.kind)
    remark = flat_remark(found, len(dataset.train), dataset.kind)
    if as_json:
        print_json(
            {
                "dataset": dataset.name,
                "kind": dataset.kind,
                "size": len(dataset.train),
                "classes": counts,
                "similarity": said,
                "remark": remark,
                "notes": notes_of(dataset),
                "rows": frame.to_dict("records"),
            }
        )
    else:
        said_how = f"Similarity: {said}{so_read and '; elements were read in blocks'}"
        console.print(said_how, markup=False, highlight=False, soft_wrap=True)
        if found.lower is not None:
            console.print(_sampled(found), highlight=False, soft_wrap=True)
        _print(console, dataset.name, dataset.kind, counts, frame)
        if len(counts) > 1:
            rare = _RARE.format(kind=dataset.kind)
            console.print(rare, markup=False, highlight=False, soft_wrap=True)
        if remark:
            console.print(remark, markup=False, highlight=False, soft_wrap=True)
    if out is not None:
        if out.suffix == ".json":  # which knows no infinity: pandas would write null
            frame["q"] = ["inf" if order == math.inf else order for order in frame["q"]]
        save_table(frame, out, quiet=quiet)


def _print(
    console: "Console", name: str, kind: str, counts: dict[str, int], frame: "pd.DataFrame"
) -> None:
    from rich.markup import escape
    from rich.table import Table

    for order, rows in frame.groupby("q", sort=True):
        table = Table(title=f"{escape(name)}, q = {order:g}", title_justify="left")
        table.add_column("level")
        for column in (kind, *_LETTERS):
            table.add_column(column, justify="right")
        for place, row in enumerate(rows.to_dict("records")):
            whole = place == 0
            count = sum(counts.values()) if whole else counts[row["level"]]
            table.add_row(
                escape(row["level"]),
                f"{count:,}",
                *(_shown(row, column) for column in _LETTERS.values()),
                style="bold" if whole else None,
                end_section=whole,
            )
        console.print(table)


def _shown(row: dict[Any, Any], measure: str) -> str:
    """A value, with its interval where there is one, or as the bound that it is."""
    from lcrjax.measures.readable import readable

    value = row[measure]
    low, high = row.get(f"{measure}_low", value), row.get(f"{measure}_high", value)
    return readable(value, low, high, row.get("bound", False))


def _sampled(found: "Diversity") -> str:
    """What the numbers of an estimate are."""
    if found.rows is None:
        return "All elements were compared: the numbers are exact."
    said = (
        "The numbers are estimates from a sample. ± is the larger half of a 95 % interval; "
        "≤ and ≥ are bounds (q = inf)."
    )
    if found.columns is None:
        return said
    return f"{said} Intervals from columns are too narrow where outliers were not drawn."
