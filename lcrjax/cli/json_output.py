"""JSON in place of tables: one object on standard output, and nothing else there."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

JSON = Annotated[
    bool, typer.Option("--json", help="Print one JSON object in place of tables and text.")
]


def print_json(found: Mapping[str, Any]) -> None:
    """Print an object as JSON, which has no infinity and no NaN: `"inf"` and `null` stand there."""
    typer.echo(json.dumps(plain(found), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Turn containers, paths and NumPy's numbers into what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return plain(value.item())
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
