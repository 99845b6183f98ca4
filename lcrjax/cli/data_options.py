"""Options of loading that all commands with DATA have."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer


def _option(*names: str, text: str) -> Any:
    return Annotated[str | None, typer.Option(*names, help=text, rich_help_panel="Reading DATA")]


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
}


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those options; it takes what was given of them as `reading`."""
    signature = inspect.signature(command)
    own = [p for name, p in signature.parameters.items() if name != "reading"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in OPTIONS.items()
    ]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        reading = {name: given.pop(name) for name in OPTIONS}
        reading = {name: value for name, value in reading.items() if value is not None}
        if "class_names" in reading:
            reading["class_names"] = [name.strip() for name in reading["class_names"].split(",")]
        command(**given, reading=reading)

    del with_options.__wrapped__  # whose signature it has not
    with_options.__annotations__ = {p.name: p.annotation for p in (*own, *added)}
    with_options.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return with_options
