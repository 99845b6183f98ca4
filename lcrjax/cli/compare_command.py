"""`lcrjax compare`: two datasets side by side, and how well each represents a target."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli import values
from lcrjax.cli.completion import SIMILARITIES
from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP, SIMILARITY_HELP
from lcrjax.cli.json_output import JSON, plain, print_json
from lcrjax.cli.outcome import NO_DISK, check_writable, input_checked, interruptible, leave
from lcrjax.cli.steps import QUIET, say
from lcrjax.cli.table_files import check_table, write_table

if TYPE_CHECKING:
    from rich.console import Console

    from lcrjax.data import Dataset
    from lcrjax.selection import Comparison

_PAIRS = 100  # near-duplicates that JSON names


@reads_data
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=DATA_HELP)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="The other dataset, given in the same way.")
    ],
    target: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Data that a model should be good at, such as a test set."
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A study's folder. Its predictor (`lcrjax fit-predictor`) says which dataset "
            "makes the better model.",
        ),
    ] = None,
    q: Annotated[str, typer.Option("--q", help="Viewpoints, as for `lcrjax measure`.")] = "0,1,inf",
    similarity: Annotated[
        str | None, typer.Option(help=SIMILARITY_HELP, autocompletion=SIMILARITIES)
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Bootstrap draws for intervals; 0 for none. By default 200 if they are quick.",
        ),
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every number: .csv, .parquet or .json.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page, such as page.html.")] = None,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Compare two labelled datasets: which is more diverse, what is new in each, which is better.

    The command compares the training sets and matches classes by name. It shows A, R, G, B, class
    balance and size of both, with the differences; relative and cross diversity of each, as seen
    from the other; near-duplicates between both; and how well each represents the target. If the
    target has a test set, only that counts.

    Examples:
        lcrjax compare old.npz new.npz
        lcrjax compare old.npz new.npz --study my-study
        lcrjax compare photos/ more_photos/ --target test.npz --resize 32 --report page.html
        lcrjax compare a.csv b.csv --similarity gower --out numbers.csv --json
    """
    with interruptible("interrupted; nothing was written.") as work:
        from rich.console import Console

        from lcrjax.cli.steps import choose_steps
        from lcrjax.study.run.files import write_whole

        with input_checked():
            from lcrjax.measures.resampling import Bootstrap
            from lcrjax.selection import compare as compare_datasets
            from lcrjax.similarity.spec import check_similarity

            predictor = _predictor(study)
            viewpoints = values.orders(q)
            if similarity is not None:
                check_similarity(similarity)
            if out is not None:
                check_table(out)
            if report is not None:
                check_writable(report)
            resampling: Any = "cheap" if draws is None else None
            if draws:
                resampling = Bootstrap(draws)
        with choose_steps(Console(stderr=True), quiet=quiet) as show, input_checked():

            def tell(stage: str, share: float) -> None:
                work.check()
                show(stage, share)

            sources = (first, second) if target is None else (first, second, target)
            datasets = [
                read(data, quiet=quiet, show=tell, resize=resize, test_fraction=0, **reading)
                for data in sources
            ]
            comparison = compare_datasets(
                *datasets,
                similarity=similarity,
                q=viewpoints,
                predictor=predictor,
                resampling=resampling,
                progress=tell,
            )
            page = None if report is None else _page(comparison, tell)
    for dataset in datasets[:2]:
        _say_what_is_left(dataset, quiet=quiet)
    if as_json:
        about = _as_json(comparison)
        print_json({**about, "notes": [*about["notes"], *notes_of(*datasets)]})
    else:
        _print(Console(), comparison)
    try:
        if out is not None:
            frame = comparison.to_frame()
            if out.suffix == ".json":  # which knows no infinity: pandas would write null
                frame = frame.astype(object).map(plain)
            write_table(frame, out)
            say(f"Written: {out}", quiet=quiet)
        if report is not None and page is not None:
            write_whole(report, page.encode())
            say(f"Written: {report} ({len(page.encode()) / 1e6:.1f} MB)", quiet=quiet)
    except OSError as error:
        leave(NO_DISK, f"cannot write: {error}.")


def _predictor(study: Path | None) -> Any:
    if study is None:
        return None
    from lcrjax.study import load_predictor

    return load_predictor(study)


def _page(comparison: "Comparison", tell: Any) -> str:
    from lcrjax.report import comparison_page

    tell("drawing", 0.0)
    return comparison_page(comparison)


def _say_what_is_left(dataset: "Dataset", *, quiet: bool) -> None:
    if dataset.test is not None:
        say(
            f"{dataset.name}: the training set of {len(dataset.train):,} is compared, "
            f"the test set of {len(dataset.test):,} is not.",
            quiet=quiet,
        )


def _print(console: "Console", comparison: "Comparison") -> None:
    from rich.table import Table
    from rich.text import Text

    from lcrjax.report.compared import called, comparison_findings, interval, shown_rows, written

    said = f"Similarity: {comparison.similarity_said}"
    if comparison.closeness_said != comparison.similarity_said:
        said += f"; of the nearest, and of a target, {comparison.closeness_said}"
    console.print(said, markup=False, highlight=False, soft_wrap=True)
    a, b = comparison.a.name, comparison.b.name
    titles = {
        "measure": "Diversity of each",
        "between": "Each as seen from the other",
        "target": f"How well each represents {getattr(comparison.target, 'name', '')}",
    }
    for part, title in titles.items():
        rows = shown_rows(comparison, part)
        if not rows:
            continue
        table = Table(title=Text(title), title_justify="left")
        table.add_column("")
        for column in (a, b, "difference", "interval"):
            table.add_column(Text(column), justify="right")
        for row in rows:
            table.add_row(*map(Text, (called(row), *written(row), interval(row))))
        console.print(table)
    for finding in comparison_findings(comparison):
        sign = "! " if finding.level == "warning" else "- "
        console.print(sign + finding.text, markup=False, highlight=False, soft_wrap=True)


def _as_json(comparison: "Comparison") -> dict[str, Any]:
    """Everything of a comparison but its elements."""
    sides = {"a": comparison.a, "b": comparison.b, "target": comparison.target}
    near, verdict = comparison.near, comparison.verdict
    found: dict[str, Any] = {
        side: None if own is None else {"name": own.name, "size": len(own), "classes": own.counts}
        for side, own in sides.items()
    }
    found |= {"similarity": comparison.similarity_said, "closeness": comparison.closeness_said}
    found["rows"] = [row._asdict() for row in comparison.rows]
    pairs = zip(near.first.tolist(), near.second.tolist(), near.distance.tolist(), strict=True)
    found["near_duplicates"] = {
        "threshold": near.threshold,
        "count": len(near),
        "under_two_labels": int(near.across.sum()),
        "pairs": [
            {"a": comparison.a.name_of(i), "b": comparison.b.name_of(j), "distance": distance}
            for i, j, distance in list(pairs)[:_PAIRS]
        ],
    }
    found["verdict"] = {
        "better": verdict.better, "probability": verdict.probability, "said": verdict.said
    }  # fmt: skip
    found["notes"] = list(comparison.notes)
    return found
