"""Hints for sources that are none: what may have been meant."""

import difflib
from collections.abc import Sequence
from pathlib import Path


def what_was_meant(named: str | Path, names: Sequence[str], kinds: Sequence[str]) -> str:
    """Say that something is neither a name nor a path, and what of these may have been meant."""
    path = Path(named)
    if isinstance(named, Path) or path.suffix or len(path.parts) != 1:
        near = difflib.get_close_matches(path.name, _siblings(path), n=1)
        hint = f"did you mean {path.with_name(near[0])}?" if near else "check the path."
        return f"there is no file or folder {path}: {hint}"
    if found := difflib.get_close_matches(named.lower(), names, n=1):
        return f"there is no dataset {named!r}: did you mean {found[0]!r}?"
    *others, last = kinds
    return f"there is no dataset, file or folder {named!r}: give {', '.join(others)} or {last}."


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []
