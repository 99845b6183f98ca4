"""The page of two datasets side by side: one HTML file with everything in it."""

from typing import Any

import numpy as np

from lcrjax.data import Split
from lcrjax.data.dataset import KINDS
from lcrjax.numerics.natural_order import natural_key
from lcrjax.report.compared import (
    called,
    comparison_findings,
    explained_by,
    interval,
    shown_rows,
    written,
)
from lcrjax.report.names import typeset
from lcrjax.report.page.excerpts import shown as show
from lcrjax.report.page.pairs import SHOWN
from lcrjax.report.page.rendering import render
from lcrjax.selection import Comparison, Row, Side


def comparison_page(comparison: Comparison) -> str:
    """Write the page of a comparison: two columns, what they share, and which is better.

    Args:
        comparison: As `lcrjax.selection.compare` returns it.

    Returns:
        An HTML document without references to anything outside itself.
    """
    a, b, target = comparison.a, comparison.b, comparison.target
    near = comparison.near
    return render(
        "comparison.html",
        title=f"{a.name} and {b.name}",
        a=a,
        b=b,
        target=target,
        many=a.kind,
        one=KINDS[a.kind],
        verdict=comparison.verdict,
        findings=[f._replace(text=typeset(f.text)) for f in comparison_findings(comparison)],
        similarity=comparison.similarity_said,
        closeness=comparison.closeness_said,
        parts={
            part: [_row(row) for row in shown_rows(comparison, part)]
            for part in ("measure", "between", "target")
        },
        classes=_classes(comparison),
        near=near,
        pairs=[_pair(comparison, i) for i in range(min(SHOWN, len(near)))],
    )


def _row(row: Row) -> dict[str, Any]:
    apart = row.lower is not None and row.upper is not None and not row.lower <= 0 <= row.upper
    return {
        "name": typeset(called(row)),
        "means": explained_by(row),
        "cells": written(row),
        "interval": interval(row),
        "apart": apart,
    }


def _classes(comparison: Comparison) -> list[dict[str, Any]]:
    """The classes of either side, with what is known of each."""
    counts = comparison.a.counts, comparison.b.counts
    rows = [r for r in comparison.rows if r.level != "dataset"]
    names = sorted({name for side in counts for name in side}, key=natural_key)
    most = max(max(side.values()) for side in counts)
    orders = sorted({r.q for r in rows if r.q is not None})
    q = 1.0 if 1.0 in orders else (orders[0] if orders else None)
    wanted = (("normalized_alpha", q), ("relative_diversity", q), ("nearest_similarity", None))
    known = {(r.level, r.name, r.q): r for r in rows}
    return [
        {
            "name": name,
            "counts": [side.get(name) for side in counts],
            "shares": [side.get(name, 0) / most for side in counts],
            "rows": [known.get((name, *key)) for key in wanted],
            "q": "∞" if q is None or np.isinf(q) else f"{q:g}",
        }
        for name in names
    ]


def _pair(comparison: Comparison, i: int) -> dict[str, Any]:
    near = comparison.near
    ends = (comparison.a, int(near.first[i])), (comparison.b, int(near.second[i]))
    return {
        "distance": float(near.distance[i]),
        "across": bool(near.across[i]),
        "ends": [
            {**show(_split(side), side.kind, place), "class": _class(side, place)}
            for side, place in ends
        ],
    }


def _split(side: Side) -> Split:
    labels = np.zeros(len(side), np.int64) if side.labels is None else side.labels
    return Split(side.elements, labels, side.names)


def _class(side: Side, place: int) -> str:
    return "" if side.labels is None else side.class_names[side.labels[place]]
