"""`lcrjax report`: a page about a dataset or a study."""

import functools
from pathlib import Path
from typing import Annotated, Any

import typer

from lcrjax.cli.completion import SIMILARITIES
from lcrjax.cli.data_options import notes_of, read, reads_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP, SIMILARITY_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import NO_DISK, check_writable, input_checked, interruptible, leave
from lcrjax.cli.steps import QUIET, say


@reads_data
def report(
    data: Annotated[
        str, typer.Argument(metavar="DATA|DIR", help=f"A study's folder, or data. {DATA_HELP}")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The page. By default report.html; for a study, in its folder."),
    ] = None,
    similarity: Annotated[
        str | None, typer.Option(help=SIMILARITY_HELP, autocompletion=SIMILARITIES)
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            help="Estimate: draw so many elements and compare these with all. By default 4096 of "
            "more than 200,000 elements; else all pairs are compared.",
            min=1,
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare all pairs of large data, too.")
    ] = False,
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Write a page about a dataset or a study: one HTML file that needs no network.

    The page of a dataset shows how diverse it and its classes are, its clusters, its most and least
    ordinary elements, near-duplicates of images and vectors (also between training and test), and
    how well the test set represents the training set. It compares all pairs, exactly; of more than
    200,000 elements it draws some, shows the intervals of estimates and says so. The page of a
    study shows what explains performance, figures, the paper's claims beside the study's, failures
    and provenance.

    Examples:
        lcrjax report digits
        lcrjax report blood.npz --out blood.html
        lcrjax report reviews.csv --similarity edit
        lcrjax report large.npz --rows 10000
        lcrjax report lcrjax-study
    """
    with interruptible("interrupted; no page was written.") as work:
        from rich.console import Console

        from lcrjax.cli.steps import choose_steps
        from lcrjax.study.run.files import write_whole

        with input_checked():
            from lcrjax.numerics.progress import telling
            from lcrjax.report import dataset_page, study_page
            from lcrjax.report.pipeline import PAGE
            from lcrjax.similarity.spec import check_similarity

            is_study = _is_study(Path(data))
            path = out or (Path(data) / PAGE if is_study else Path(PAGE))
            check_writable(path)
            if is_study and similarity is not None:
                raise ValueError("a study has its own similarity: leave --similarity out")
            if similarity is not None:
                check_similarity(similarity)
            if rows is not None and exact:
                raise ValueError("--rows and --exact are given: give one of them")
            if is_study and (rows is not None or exact):
                raise ValueError("a study is measured already: leave --rows and --exact out")
            if is_study and resize is not None:
                raise ValueError("a study's images have their own sizes: leave --resize out")
            if is_study and reading:
                given = ", ".join(f"--{name.replace('_', '-')}" for name in reading)
                raise ValueError(f"a study has already read its data: leave {given} out")
        with choose_steps(Console(stderr=True), quiet=quiet) as show:

            def tell(stage: str, share: float) -> None:
                work.check()
                show(stage, share)

            def measuring(stage: str, share: float) -> None:
                work.begin()  # what is told, and computed, comes after all checks
                show(stage, share)

            with input_checked(work):
                notes: list[str] = []
                if is_study:
                    stage = "analysing the study"
                    tell(stage, 0.0)
                    with telling(functools.partial(tell, stage)):
                        page = study_page(data)
                else:
                    dataset = read(
                        data,
                        quiet=quiet,
                        show=tell,
                        resize=resize,
                        test_fraction=0,
                        **reading,
                    )
                    notes = notes_of(dataset)
                    page = dataset_page(
                        dataset, similarity=similarity, progress=measuring, rows=rows, exact=exact
                    )
            work.check()
    try:
        write_whole(path, page.encode())
    except OSError as error:
        leave(NO_DISK, f"cannot write {path}: {error}.")
    say(f"Written: {path} ({len(page.encode()) / 1e6:.1f} MB)", quiet=quiet)
    if as_json:
        about = "study" if is_study else "dataset"
        print_json({"about": about, "notes": notes, "files": {"page": path}})


def _is_study(folder: Path) -> bool:
    from lcrjax.study.run.folder import CONFIG
    from lcrjax.study.run.store import RESULTS, ROWS

    return (folder / CONFIG).is_file() and any((folder / p).exists() for p in (RESULTS, ROWS))
