"""The page of a study: one HTML file with the ranking, the figures and where they come from."""

import base64
import io
import json
import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lcrjax.report.figures.write import write_figures
from lcrjax.report.names import combination, plain
from lcrjax.report.page.rendering import render
from lcrjax.report.tables import FEW_ROWS, SIDE_BY_SIDE, notes, rankings
from lcrjax.study.analysis.fixed_effects import fixed_effects_r2
from lcrjax.study.analysis.paper_claims import claims
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import FEATURES, TARGETS
from lcrjax.study.run.folder import read_description
from lcrjax.study.run.store import read_results

_log = logging.getLogger(__name__)

#: What stands above each figure and what a reader without it is told, by file name.
_CAPTIONS = {
    "fig3a-class-balance": "Class balance against subset size; dashed, perfect balance.",
    "fig3b-size": "Performance against subset size; the number is the largest size's median.",
    "fig3c-alpha": "Performance against A₀ over the number of classes, in bins of equal count.",
    "fig4-rankings": "Adjusted R² of single features, pairs, triples and groups, with bootstrap "
    "intervals of 95 %.",
    "fig5-correlations": "Squared correlations of the features, clustered.",
}
_BEST = 10
#: Features' names within a text.
_NAMES = re.compile("|".join(sorted(map(re.escape, FEATURES), key=len, reverse=True)))
#: Dots of a figure's file for each of a page: figures are written with 200 to the inch.
_DOTS = 200 / 112
_COLOURS = {"alpha": "#0072B2", "usual": "#E69F00", "other": "#7F7F7F"}


def study_page(
    folder: str | Path, *, figures: Sequence[str | Path] | None = None, resamples: int = 1000
) -> str:
    """Write a study's page: what explains performance, how surely, and where all that comes from.

    Args:
        folder: A study's folder; of an unfinished study the finished rows are reported.
        figures: PNG files of its figures, such as `write_figures` wrote; None draws them.
        resamples: Bootstrap resamples of every interval.

    Returns:
        An HTML document without references to anything outside itself.

    Raises:
        ValueError: If the folder holds no study, or one without finished rows.
    """
    description = read_description(folder)
    if "blocks" not in description["decides"]:
        raise ValueError(f"{folder} holds no study; name the folder of one.")
    table = read_results(folder)
    if figures is None:
        with tempfile.TemporaryDirectory() as place:
            pictures = _pictures(write_figures(table, place, suffixes=(".png",)))
    else:
        pictures = _pictures(figures)
    decides, about = description["decides"], description.get("about", {})
    targets = [t for t in TARGETS if t in table]
    ranked = [_target(table, t, resamples) for t in sorted(targets, key=lambda t: t != "bacc")]
    failed = table[table["failure"].notna()]
    unfinished = table[table["failure"].isna() & ~table["converged"].astype(bool)]
    planned = sum(sum(sum(k) for k in sizes.values()) for sizes in decides["blocks"].values())
    return render(
        "study.html",
        title=", ".join(sorted(decides["datasets"])),
        folder=Path(folder).resolve().name,
        rows=len(table),
        planned=planned,
        sizes=sorted(int(n) for n in table["n"].unique()),
        seconds=float(table["seconds"].sum()),
        headline=_headline(ranked[0]) if ranked else "",
        rankings=ranked,
        figures=pictures,
        claims=_claims(table, resamples),
        datasets=_datasets(table, decides, about),
        failed=_grouped(failed),
        n_failed=len(failed),
        unfinished=_listed(unfinished),
        config=json.dumps(
            {k: v for k, v in decides.items() if k != "blocks"}, indent=2, ensure_ascii=False
        ),
        versions=decides.get("versions", {}),
        device=decides.get("device", {}),
        sides=SIDE_BY_SIDE,
    )


def _target(table: pd.DataFrame, target: str, resamples: int) -> dict[str, Any]:
    """Rank single features, pairs and triples by what they explain of one target."""
    found: dict[str, Any] = {"id": target, "name": plain(target), "notes": [], "problem": ""}
    try:
        ranked = rankings(table, target)
    except ValueError as error:
        return {**found, "problem": str(error), "kinds": []}
    found["notes"] = notes(ranked["singles"])
    few = ranked["singles"].attrs["rows"] < FEW_ROWS
    titles = {"singles": "Single features", "pairs": "Best pairs", "triples": "Best triples"}
    found["kinds"] = []
    for kind, title in titles.items():
        if kind not in ranked:
            continue
        best = ranked[kind] if kind == "singles" else ranked[kind].head(_BEST)
        rows = _rows(table, best, target, 0 if few else resamples, single=kind == "singles")
        found["kinds"].append(
            {
                "title": title,
                "single": kind == "singles",
                "rows": rows,
                "within": any(row["within"] is not None for row in rows),
                "intervals": any(row["lower"] is not None for row in rows),
            }
        )
    return found


def _rows(
    table: pd.DataFrame, ranking: pd.DataFrame, target: str, resamples: int, *, single: bool
) -> list[dict[str, Any]]:
    models = [tuple(features) for features in ranking["features"]]
    intervals = [(None, None)] * len(models)
    if resamples:
        drawn = bootstrap(table, models, target, resamples=resamples).intervals()
        intervals = list(zip(drawn["lower"], drawn["upper"], strict=True))
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
            "lower": None if lower is None else max(0.0, float(lower)),
            "upper": None if upper is None else min(1.0, float(upper)),
            "bar": min(1.0, max(0.0, float(value))),
            "colour": _COLOURS[_family(features)],
            "within": within.get(features),
            "marked": single and features[0] in SIDE_BY_SIDE,
        }
        for features, value, (lower, upper) in zip(
            models, ranking["adj_r2"], intervals, strict=True
        )
    ]


def _family(features: Sequence[str]) -> str:
    if any(name.startswith("A_") or "alpha" in name for name in features):
        return "alpha"
    return "usual" if all(n == "size" or n.startswith("CB") for n in features) else "other"


def _headline(ranked: dict[str, Any]) -> str:
    if not ranked["kinds"]:
        return ranked["problem"]
    singles = ranked["kinds"][0]["rows"]
    by_name = {row["name"]: row["value"] for row in singles}
    sides = [
        f"{plain(name)} {100 * by_name[plain(name)]:.0f} %"
        for name in SIDE_BY_SIDE
        if plain(name) in by_name
    ]
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


def _claims(table: pd.DataFrame, resamples: int) -> list[dict[str, Any]]:
    few = len(table) < FEW_ROWS
    found = claims(table, resamples=0 if few else resamples)
    return [
        {str(k): _NAMES.sub(lambda name: plain(name[0]), v) for k, v in row.items()}
        for row in found.to_dict("records")
    ]


def _datasets(
    table: pd.DataFrame, decides: dict[str, Any], about: dict[str, Any]
) -> list[dict[str, Any]]:
    listed = []
    for name, facts in sorted(decides["datasets"].items()):
        mine = table[table["dataset"] == name]
        largest = mine[mine["n"] == mine["n"].max()]
        listed.append(
            {
                "name": name,
                **facts,
                "rows": len(mine),
                "best": float(mine["bacc"].max()),
                "median": float(largest["bacc"].median()),
                "epochs": float(mine["epochs"].median()),
                "about": about.get(name, {}),
            }
        )
    return listed


def _grouped(rows: pd.DataFrame) -> list[dict[str, Any]]:
    parts: Any = rows.groupby(["dataset", "n", "failure"])
    return [
        {
            "dataset": dataset,
            "n": int(n),
            "reason": reason,
            "subsets": ", ".join(map(str, part["subset"])),
        }
        for (dataset, n, reason), part in parts
    ]


def _listed(rows: pd.DataFrame) -> list[dict[str, Any]]:
    parts: Any = rows.groupby(["dataset", "n"])
    return [
        {
            "dataset": dataset,
            "n": int(n),
            "count": len(part),
            "epochs": int(part["epochs"].max()),
            "accuracy": float(part["train_accuracy"].min()),
        }
        for (dataset, n), part in parts
    ]


def _pictures(files: Sequence[str | Path]) -> list[dict[str, Any]]:
    found = []
    for file in map(Path, files):
        if file.suffix == ".png":
            content = file.read_bytes()
            width, height = Image.open(io.BytesIO(content)).size
            found.append(
                {
                    "uri": f"data:image/png;base64,{base64.b64encode(content).decode()}",
                    "caption": _CAPTIONS.get(file.stem, file.stem),
                    "width": round(width / _DOTS),
                    "height": round(height / _DOTS),
                }
            )
    return found
