"""`lcrjax study`: from datasets to the ranking of what explains performance."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli import values
from lcrjax.cli.completion import SIMILARITIES, words_of
from lcrjax.cli.data_options import notes_of, read, reads_and_splits_data
from lcrjax.cli.help_texts import DATA_HELP, RESIZE_HELP, SIMILARITY_HELP
from lcrjax.cli.json_output import JSON, print_json
from lcrjax.cli.outcome import SOME_FAILED, leave, work_in
from lcrjax.cli.parts import PARTS
from lcrjax.cli.steps import QUIET

if TYPE_CHECKING:
    from lcrjax.report import StudyReport
    from lcrjax.study.run.progress import StudyProgress


@reads_and_splits_data
def study(
    data: Annotated[
        list[str] | None, typer.Argument(help=f"{DATA_HELP} Several are studied together.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="quick (takes minutes), panel (your datasets, subsets of up to 1,024 images; "
            "takes hours) or paper (four MedMNIST datasets and yours; needs a GPU). By default "
            "quick.",
            autocompletion=words_of("lcrjax.study.design.presets", "PRESETS"),
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A TOML file of settings; options override it.")
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Images per subset, such as 64,128,256.")
    ] = None,
    vary: Annotated[
        str | None,
        typer.Option(
            help="What subsets of one size differ in. balance: class balance, as in the paper. "
            "diversity: from the most redundant to the most diverse, with equal classes, with "
            "outliers avoided and with outliers sought. both: every balance with every level of "
            "diversity. By default balance.",
            autocompletion=words_of("lcrjax.study.design.config", "VARIED"),
        ),
    ] = None,
    levels: Annotated[int | None, typer.Option(help="Levels of diversity.")] = None,
    per_bin: Annotated[
        int | None,
        typer.Option(help="Subsets per size and bin of class balance, or level of diversity."),
    ] = None,
    bins: Annotated[int | None, typer.Option(help="Bins of class balance.")] = None,
    similarity: Annotated[
        str | None,
        typer.Option(
            help=f"What to measure diversity with. {SIMILARITY_HELP}", autocompletion=SIMILARITIES
        ),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            help="Also measure with this similarity, such as rmsd:10, as `lcrjax measure-study` "
            "does. May be repeated.",
            autocompletion=SIMILARITIES,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    max_epochs: Annotated[
        int | None, typer.Option(help="Most epochs that a model trains for.")
    ] = None,
    beyond: Annotated[
        int | None,
        typer.Option(
            help="Train every model for this many more epochs after it met the criterion, and "
            "score it again. Adds columns such as bacc_beyond, and bacc_running, the score when "
            "its running accuracy first met the criterion."
        ),
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1)] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Compute on a Ray cluster: HOST:PORT; auto for the one that runs on this machine "
            "or that RAY_ADDRESS names; local for one that ends with the study."
        ),
    ] = None,
    allow_mixed: Annotated[
        bool,
        typer.Option(
            "--allow-mixed",
            help="Let machines of different kinds compute the rows; config.json lists them.",
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="The study's folder.")] = Path("lcrjax-study"),
    as_json: JSON = False,
    quiet: QUIET = False,
    *,
    reading: dict[str, Any],
) -> None:
    """Train a ResNet-18 on many subsets and rank what explains their performance.

    Without arguments it studies scikit-learn's handwritten digits, offline, in minutes. For each
    subset size it designs subsets that span the possible class balances. It measures 27 diversities
    of each subset, trains a ResNet-18 on it and scores the model on the common test set. Then it
    regresses performance on the diversities.

    It prints what A_0, CB_1, size and the best single feature, pair and triple explain. The whole
    ranking is in ranking.csv in the study's folder; lcrjax search prints it.

    Run the same command to resume, whatever stopped it.

    Examples:
        lcrjax study
        lcrjax study digits --similarity rmsd:10 --out sharper
        lcrjax study digits --measures rmsd:10 --measures laplacian:0.5median
        lcrjax study breast.npz --sizes 64,128,256 --out breast-study
        lcrjax study blood.npz brain.npz images/ --preset panel
        lcrjax study digits --vary diversity --sizes 64,128 --beyond 30 --out varied
        lcrjax study blood.npz --preset panel --ray auto
    """
    with work_in(out) as work, contextlib.ExitStack() as until_the_end:
        from rich.console import Console

        from lcrjax.cli.display import choose_display
        from lcrjax.report import conduct_study
        from lcrjax.study.design.presets import choose_study
        from lcrjax.study.run.ray_blocks import reached
        from lcrjax.study.run.store import check_folder

        sources, settings = choose_study(
            data or [],
            preset=preset,
            file=config,
            changes={
                "sizes": None if sizes is None else values.sizes(sizes),
                "vary": vary,
                "levels": levels,
                "per_bin": per_bin,
                "bins": bins,
                "similarity": similarity,
                "measures": measures or None,
                "seed": seed,
                "training": _given(max_epochs=max_epochs, beyond=beyond),
            },
        )
        check_folder(out)
        if "test" in reading and len(sources) > 1:
            raise ValueError("--test is given with several DATA: study one at a time")
        until_the_end.enter_context(reached(ray))
        datasets = [read(str(x), quiet=quiet, resize=resize, **reading) for x in sources]
        with choose_display(Console(stderr=True), quiet=quiet) as display:

            def show(progress: "StudyProgress") -> None:
                if progress.stage == "designing":
                    work.ready = True
                elif progress.stage == "reporting":
                    work.end()
                elif progress.stage != "loading":
                    work.begin()
                display(progress)

            report = conduct_study(
                *(datasets, out, settings),
                progress=show,
                ray=ray,
                allow_mixed=allow_mixed,
                **PARTS.get(),
            )
        _conclude(report, notes_of(*datasets), out, as_json=as_json, quiet=quiet)


def _given(**settings: Any) -> dict[str, Any] | None:
    """Settings that an option was given for; None if there are none."""
    return {name: value for name, value in settings.items() if value is not None} or None


def _conclude(
    report: "StudyReport", read_notes: list[str], out: Path, *, as_json: bool, quiet: bool
) -> None:
    """Print what the study says and where everything lies."""
    from rich.console import Console

    from lcrjax.report import print_summary
    from lcrjax.report.pipeline import FIGURES, RANKING
    from lcrjax.study.run.folder import CONFIG
    from lcrjax.study.run.store import RESULTS

    table = report.table
    failed = table[table["failure"].notna()]
    files = {
        "page": report.page,
        "ranking": out / RANKING,
        "table": out / RESULTS,
        "settings": out / CONFIG,
        "figures": out / FIGURES,
    }
    if as_json:
        notes = [*report.summary["notes"], *read_notes]
        print_json({**report.summary, "notes": notes, "files": files})
    else:
        print_summary(Console(), report.summary)
        for (dataset, n, reason), rows in failed.groupby(["dataset", "n", "failure"]):
            numbers = ", ".join(map(str, rows["subset"]))
            typer.echo(f"Not trained: {dataset}, {n} images, subset {numbers}: {reason}")
        if len(failed) and not quiet:
            typer.echo(f"To train some again, delete their files in {out / 'rows'}.")
        for name, path in files.items():
            typer.echo(f"{name.capitalize()}: {path}")
        if not quiet:
            typer.echo(f"More combinations: lcrjax search {out} --size 2 --top 20")
    if len(failed):
        leave(SOME_FAILED, f"{len(failed)} of {len(table)} subsets could not be trained.")
