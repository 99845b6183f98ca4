"""Elements as a page shows them: pictures where there are some, else a few words of each."""

from typing import Any

import numpy as np

from lcrjax.data import Split
from lcrjax.report.page.thumbnails import thumbnail

#: Most characters of an excerpt, columns of a row and components of a vector in it.
LONGEST, COLUMNS, COMPONENTS = 160, 8, 6


def shown(split: Split, kind: str, i: int) -> dict[str, Any]:
    """Show an element: its name, and its picture as `uri`, or else a `text`.

    Args:
        split: Where it is from.
        kind: What it is, a key of `lcrjax.data.dataset.KINDS`.
        i: Its place.
    """
    name = split.name_of(i)
    if kind == "images":
        return {"name": name, "uri": thumbnail(split.elements[i])}
    return {"name": name, "text": excerpt(split.elements, kind, i)}


def excerpt(elements: Any, kind: str, i: int) -> str:
    """Say in a few words what a text, a row or a vector holds."""
    if kind == "texts":
        return _cut(" ".join(str(elements[i]).split()), LONGEST)
    if kind == "rows":
        row = elements.iloc[i]
        cells = [f"{name}: {_cut(_cell(value), 40)}" for name, value in row.iloc[:COLUMNS].items()]
        return "; ".join(cells) + ("; …" if len(row) > COLUMNS else "")
    vector = np.asarray(elements[i])
    numbers = ", ".join(f"{x:.3g}" for x in vector[:COMPONENTS])
    return numbers + (", …" if len(vector) > COMPONENTS else "")


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
