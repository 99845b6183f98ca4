"""Options of loading that all commands with DATA have, and the loading."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcrjax.cli.completion import words_of
from lcrjax.data.limits import MAX_PIXELS
from lcrjax.data.split import TEST_FRACTION

if TYPE_CHECKING:
    from lcrjax.cli.steps import Show
    from lcrjax.data import Dataset


def _option(*names: str, text: str, kind: Any = str, **more: Any) -> Any:
    option = typer.Option(*names, help=text, rich_help_panel="Reading DATA", **more)
    return Annotated[kind | None, option]


#: Keywords of `lcrjax.data.load` as options.
OPTIONS = {
    "labels": _option(
        "--labels", text="Labels of an .npy file: FILE.npy, FILE.csv:COLUMN or FILE.txt."
    ),
    "class_names": _option("--class-names", text="Names of the classes, such as cat,dog,owl."),
    "image_column": _option(
        "--image-column", text="Column of a table with pictures or names of their files."
    ),
    "element_column": _option(
        "--element-column", text="Column of a table with texts, or vectors as lists of numbers."
    ),
    "label_column": _option("--label-column", text="Column of a table with labels."),
    "split_column": _option(
        "--split-column", text="Column of a table that says train, test or validation."
    ),
    "group_column": _option(
        "--group-column", text="Column of a table with groups: patients, sites."
    ),
    "group_pattern": _option(
        "--group-pattern", text="Regular expression that finds a group in names: 'patient([0-9]+)'."
    ),
    "mode": _option(
        "--mode",
        text="Convert all images to grey or to rgb.",
        metavar="grey|rgb",
        autocompletion=words_of("lcrjax.data.colours", "MODES"),
    ),
    "skip_damaged": _option(
        "--skip-damaged", text="Leave out pictures that cannot be read.", kind=bool
    ),
    "follow_links": _option(
        "--follow-links", text="Follow links that lead out of a folder of pictures.", kind=bool
    ),
    "max_pixels": _option(
        "--max-pixels",
        text=f"Most pixels that a picture may have. By default {MAX_PIXELS:,}.",
        kind=int,
        min=1,
    ),
}
#: Those of commands that need a test set.
SPLITTING = {
    "test_fraction": _option(
        "--test-fraction",
        text="Share of each class to hold out if DATA has no test set. "
        f"By default {TEST_FRACTION}.",
        kind=float,
    ),
    "split_seed": _option("--split-seed", text="Seed of the choice of a test set.", kind=int),
    "test": _option("--test", text="Test set to use instead of the one in DATA.", metavar="DATA"),
}


def reads_data(
    command: Callable[..., None], *, options: Mapping[str, Any] = OPTIONS
) -> Callable[..., None]:
    """Give a command those options; it takes what was given of them as `reading`."""
    signature = inspect.signature(command)
    own = [p for name, p in signature.parameters.items() if name != "reading"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in options.items()
    ]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        reading = {name: given.pop(name) for name in options}
        reading = {name: value for name, value in reading.items() if value is not None}
        if "class_names" in reading:
            reading["class_names"] = [name.strip() for name in reading["class_names"].split(",")]
        command(**given, reading=reading)

    del with_options.__wrapped__  # whose signature it has not
    with_options.__annotations__ = {p.name: p.annotation for p in (*own, *added)}
    with_options.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return with_options


#: Gives a command also the options about a test set.
reads_and_splits_data = functools.partial(reads_data, options=OPTIONS | SPLITTING)


def read(data: str, *, quiet: bool, show: "Show | None" = None, **given: Any) -> "Dataset":
    """Load data, show progress, and tell on standard error what reading left out or changed.

    Args:
        data: What to load.
        quiet: Whether to show no progress and tell nothing.
        show: Shows progress in the place of a display of its own.
        **given: Keywords of `lcrjax.data.load`, and `split_seed` for its `seed`.

    Raises:
        ValueError: If the data cannot be used.
        ImportError: If a package that it needs is missing.
    """
    from rich.console import Console

    from lcrjax.cli.steps import choose_steps, say
    from lcrjax.data import load
    from lcrjax.numerics.sources import memory_map, takes_blocks

    if "split_seed" in given:
        given["seed"] = given.pop("split_seed")
    steps = choose_steps(Console(stderr=True), quiet=quiet)
    with steps if show is None else contextlib.nullcontext(show) as tell:
        dataset = load(data, progress=lambda done, of: tell(f"reading {data}", done / of), **given)
    for note in notes_of(dataset):
        say(note, quiet=quiet)
    for split in (dataset.train, dataset.test):
        elements = None if split is None else split.elements
        size = getattr(elements, "nbytes", 0)  # a stream or a table says none
        if dataset.kind == "vectors" and takes_blocks(size) and memory_map(elements) is None:
            held = f"{size / 2**20:,.0f} MiB of vectors were read into memory."
            say(f"{dataset.name}: {held}", quiet=quiet)
    return dataset


def notes_of(*datasets: "Dataset") -> list[str]:
    """What reading left out, changed or held out, with the datasets' names."""
    return [f"{dataset.name}: {note}" for dataset in datasets for note in dataset.notes]
