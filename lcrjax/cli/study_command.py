"""`lcrjax study`: from datasets to the ranking of what explains performance."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lcrjax.cli import values
from lcrjax.cli.outcome import (
    BAD_INPUT,
    INTERRUPTED,
    NO_DISK,
    SOME_FAILED,
    Interruption,
    input_checked,
    interruptible,
    leave,
)
from lcrjax.cli.report_command import PAGE
from lcrjax.cli.sources import DATA_HELP, RESIZE_HELP, load_sources

if TYPE_CHECKING:
    import pandas as pd

    from lcrjax.data import Dataset
    from lcrjax.study.design.config import StudyConfig
    from lcrjax.study.run.progress import StudyProgress


def study(
    data: Annotated[
        list[str] | None,
        typer.Argument(help=f"{DATA_HELP} Several are studied together.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="quick (minutes), panel (datasets of yours up to 1,024 images, hours) or paper "
            "(four MedMNIST datasets and what you add; wants a GPU). The default is quick.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file of settings; options override it.", show_default=False),
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Images per subset, such as 64,128,256.", show_default=False)
    ] = None,
    per_bin: Annotated[
        int | None,
        typer.Option(help="Subsets per size and bin of class balance.", show_default=False),
    ] = None,
    bins: Annotated[
        int | None, typer.Option(help="Bins of class balance.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything random.", show_default=False)
    ] = None,
    max_epochs: Annotated[
        int | None,
        typer.Option(help="Epochs after which a model stops anyway.", show_default=False),
    ] = None,
    resize: Annotated[int | None, typer.Option(help=RESIZE_HELP, min=1, show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The study's folder.")] = Path("lcrjax-study"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Train a ResNet-18 on many subsets and rank what explains their performance.

    Without arguments it studies scikit-learn's handwritten digits, offline, in minutes. For each
    subset size, subsets are designed that span the possible class balances; 27 diversities of each
    are measured, a ResNet-18 is trained on each and scored on the common test set, and
    performance is regressed on the diversities.

    The same command goes on where it stopped, whatever stopped it.

    Examples:
        lcrjax study
        lcrjax study breast.npz --sizes 64,128,256 --out breast-study
        lcrjax study blood.npz brain.npz images/ --preset panel
    """
    with interruptible() as interruption:
        try:
            with input_checked():
                from lcrjax.study.design.presets import choose_study
                from lcrjax.study.run.store import check_folder

                check_folder(out)
                sources, settings = choose_study(
                    data or [],
                    preset=preset,
                    file=config,
                    changes={
                        "sizes": None if sizes is None else values.sizes(sizes),
                        "per_bin": per_bin,
                        "bins": bins,
                        "seed": seed,
                        "training": None if max_epochs is None else {"max_epochs": max_epochs},
                    },
                )
                datasets = load_sources(sources, resize)
            table = _run(datasets, settings, out, interruption, quiet=quiet)
            _conclude(table, out)
        except KeyboardInterrupt:
            leave(
                INTERRUPTED,
                f"interrupted. What was finished is safe in {out}; the same command goes on.",
            )
    failed = int(table["failure"].notna().sum())
    if failed:
        leave(SOME_FAILED, f"{failed} of {len(table)} subsets could not be trained.")


def _run(
    datasets: "Sequence[Dataset]",
    settings: "StudyConfig",
    out: Path,
    interruption: Interruption,
    *,
    quiet: bool,
) -> "pd.DataFrame":
    """Run the study with a display; say in one sentence why it could not start or go on."""
    from rich.console import Console

    from lcrjax.cli.cache import keep_compiled_programs
    from lcrjax.cli.display import choose_display
    from lcrjax.study.run.folder import FolderInUseError
    from lcrjax.study.run.runner import run_study

    keep_compiled_programs()
    started = False
    console = Console(stderr=True)
    if not quiet:
        names = ", ".join(sorted(d.name for d in datasets))
        console.print(f"Designing subsets of {names}.", markup=False, highlight=False)
    with choose_display(console, quiet=quiet) as display:

        def show(progress: "StudyProgress") -> None:
            nonlocal started
            started = interruption.patient = True
            interruption.check()
            display(progress)

        try:
            return run_study(datasets, out, settings, progress=show)
        except FolderInUseError as error:
            leave(BAD_INPUT, str(error))
        except OSError as error:
            leave(
                NO_DISK,
                f"cannot write to {out}: {error}. What was finished is safe; "
                "when there is room, the same command goes on.",
            )
        except ValueError as error:
            if started:  # not the input, which was checked before: a fault that needs its trace
                raise
            leave(BAD_INPUT, str(error))
        finally:
            interruption.patient = False


def _conclude(table: "pd.DataFrame", out: Path) -> None:
    """Print what the study says and where everything lies."""
    from rich.console import Console

    from lcrjax.report import print_rankings, study_page, write_figures
    from lcrjax.study.run.files import write_whole
    from lcrjax.study.run.folder import CONFIG
    from lcrjax.study.run.store import RESULTS

    console = Console()
    print_rankings(console, table)
    failed = table[table["failure"].notna()]
    if len(failed):
        console.print(f"{len(failed)} of {len(table)} subsets could not be trained:", style="bold")
        for (dataset, n, reason), rows in failed.groupby(["dataset", "n", "failure"]):
            numbers = ", ".join(map(str, rows["subset"]))
            console.print(
                f"  {dataset}, {n} images, subset {numbers}: {reason}",
                markup=False,
                highlight=False,
            )
        console.print(f"To try some again, delete their files in {out / 'rows'}.", markup=False)
    try:
        figures = write_figures(table, out / "figures")
        page = study_page(out, figures=figures)
        write_whole(out / PAGE, page.encode())
    except OSError as error:
        leave(NO_DISK, f"cannot write figures and page to {out}: {error}.")
    for line in (
        f"Table: {out / RESULTS}",
        f"Settings: {out / CONFIG}",
        f"Figures: {', '.join(str(f) for f in figures if f.suffix == '.png')}",
        f"Page: {out / PAGE}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
