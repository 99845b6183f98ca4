"""Explanations of performance: rankings, intervals, the paper's claims, for a study's page."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from lcrjax.report.figures.style import FAMILY_COLOURS
from lcrjax.report.names import combination, family, plain, typeset
from lcrjax.report.tables import FEW_ROWS, SIDE_BY_SIDE, SIZES, notes, with_intervals
from lcrjax.study.analysis.fixed_effects import fixed_effects_r2
from lcrjax.study.analysis.paper_claims import claims

_log = logging.getLogger(__name__)

_TITLES = dict(zip(SIZES.values(), ("Single features", "Best pairs", "Best triples"), strict=True))


def explained(table: pd.DataFrame, target: str, resamples: int) -> dict[str, Any]:
    """Rank single features, pairs and triples by what they explain of one target.

    Tables of few rows get no intervals.
    """
    found: dict[str, Any] = {"name": plain(target), "notes": [], "problem": "", "kinds": []}
    try:
        ranked = with_intervals(table, target, resamples)
    except ValueError as error:
        return {**found, "problem": str(error)}
    found["notes"] = list(map(typeset, notes(ranked["singles"])))
    for kind, frame in ranked.items():
        single = kind == "singles"
        rows = _rows(table, frame, target, single=single)
        found["kinds"].append(
            {
                "title": _TITLES[kind],
                "single": single,
                "rows": rows,
                "within": any(row["within"] is not None for row in rows),
                "intervals": any(row["lower"] is not None for row in rows),
            }
        )
    return found


def _rows(
    table: pd.DataFrame, ranking: pd.DataFrame, target: str, *, single: bool
) -> list[dict[str, Any]]:
    models = [tuple(features) for features in ranking["features"]]
    within: dict[tuple[str, ...], float] = {}
    if single:
        try:
            inside = fixed_effects_r2(table, models, target)
            within = dict(zip(inside["features"], inside["r2_within"], strict=True))
        except ValueError as error:
            _log.info("no analysis within datasets: %s", error)
    return [
        {
            "name": combination(features),
            "value": float(value),
            "lower": None if np.isnan(lower) else max(0.0, float(lower)),
            "upper": None if np.isnan(upper) else min(1.0, float(upper)),
            "bar": min(1.0, max(0.0, float(value))),
            "colour": FAMILY_COLOURS[family(features)],
            "within": within.get(features),
            "marked": single and features[0] in SIDE_BY_SIDE,
        }
        for features, value, lower, upper in zip(
            models, *(ranking[name] for name in ("adj_r2", "lower", "upper")), strict=True
        )
    ]


def headline(ranked: dict[str, Any]) -> str:
    """Say in a sentence or three what a ranking of `explained` comes to."""
    if not ranked["kinds"]:
        return ranked["problem"]
    singles = ranked["kinds"][0]["rows"]
    by_name = {row["name"]: row["value"] for row in singles}
    present = [name for name in map(plain, SIDE_BY_SIDE) if name in by_name]
    sides = [f"{name} {100 * by_name[name]:.0f} %" for name in present]
    best = singles[0]
    text = (
        f"The best single indicator of {ranked['name']} is {best['name']}: it explains "
        f"{100 * best['value']:.0f} % of the variance (adjusted R²). "
        f"Side by side: {', '.join(sides)}."
    )
    inside = [row for row in singles if row["within"] is not None and row["within"] >= 0]
    if not inside:
        return text
    best = max(inside, key=lambda row: row["within"])
    return (
        f"{text} Of what varies within datasets, {best['name']} explains most: "
        f"{100 * best['within']:.0f} %."
    )


def claimed(table: pd.DataFrame, resamples: int) -> list[dict[str, str]]:
    """Set the paper's claims beside what the table says, names written for readers."""
    found = claims(table, resamples=0 if len(table) < FEW_ROWS else resamples)
    return [{str(k): typeset(v) for k, v in row.items()} for row in found.to_dict("records")]
