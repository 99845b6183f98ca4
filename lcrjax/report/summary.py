"""A study's answer in short: what diversity, class balance and size explain, and what is best."""

from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lcrjax.report.names import plain
from lcrjax.report.tables import FEW_ROWS, SIDE_BY_SIDE, SIZES, notes, rankings, with_intervals
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import TARGETS

#: What is shown in the end of each kind of ranking.
_BEST = {"singles": "best single feature", "pairs": "best pair", "triples": "best triple"}


def _targets(table: pd.DataFrame) -> list[str]:
    """Those that the table has, balanced accuracy first."""
    return sorted((t for t in TARGETS if t in table), key=lambda t: t != "bacc")


def ranking_frame(table: pd.DataFrame, resamples: int = 1000) -> pd.DataFrame:
    """List the rankings of all targets as one table, for a file.

    Args:
        table: One row per subset, as `run_study` returns it.
        resamples: Bootstrap resamples of every interval.

    Returns:
        `target`, `count` (of features together), `rank` (from 1), `features` (joined by " + "),
        `adj_r2` with `lower` and `upper` (95 %), `r2`, `subsets`: every single feature, the ten
        best pairs and triples. Targets that cannot be regressed on are absent.
    """
    columns = ["target", "count", "rank", "features", "adj_r2", "lower", "upper", "r2", "subsets"]
    frames = []
    for target in _targets(table):
        try:
            found = with_intervals(table, target, resamples)
        except ValueError:
            continue
        frames += [
            frame.assign(
                target=target,
                count=frame["features"].map(len),
                rank=range(1, len(frame) + 1),
                features=frame["features"].map(" + ".join),
                subsets=frame["n"],
            )
            for frame in found.values()
        ]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]


def summarize_study(table: pd.DataFrame, resamples: int = 1000) -> dict[str, Any]:
    """Say in numbers what a study found.

    Args:
        table: One row per subset, as `run_study` returns it.
        resamples: Bootstrap resamples of every interval.

    Returns:
        What JSON can hold: `subsets`, `failed`, `datasets`, `notes` (what the regressions rest
        on), `problems` (target: why it cannot be explained) and `models`. Models are A_0, CB_1,
        size, and the best single feature, pair and triple by the first target: each with `name`,
        `features`, and by target `adj_r2`, `lower` and `upper` (95 %; None in tables of few
        rows). Features that are constant over the table have no numbers.
    """
    problems, found = {}, {}
    for target in _targets(table):
        try:
            found[target] = rankings(table, target)
        except ValueError as error:
            problems[target] = str(error)
    summary: dict[str, Any] = {
        "subsets": len(table),
        "failed": int(table["failure"].notna().sum()) if "failure" in table else 0,
        "datasets": sorted(table["dataset"].unique()),
        "notes": [],
        "problems": problems,
        "models": [],
    }
    if not found:
        return summary
    first = next(iter(found.values()))
    summary["notes"] = notes(first["singles"])
    models: dict[str, tuple[str, ...]] = {name: (name,) for name in SIDE_BY_SIDE}
    models |= {_BEST[kind]: tuple(frame["features"][0]) for kind, frame in first.items()}
    numbers = {target: _numbers(table, target, models, resamples) for target in found}
    summary["models"] = [
        {
            "name": name,
            "features": list(features),
            **{target: values.get(name) for target, values in numbers.items()},
        }
        for name, features in models.items()
    ]
    return summary


def _numbers(
    table: pd.DataFrame, target: str, models: dict[str, tuple[str, ...]], resamples: int
) -> dict[str, dict[str, float | None]]:
    """What each model explains of a target, and its interval; constant features explain nothing."""
    ranked = rankings(table, target)["singles"]
    kept = {name: m for name, m in models.items() if not set(m) & set(ranked.attrs["dropped"])}
    few = ranked.attrs["rows"] < FEW_ROWS
    drawn = bootstrap(table, list(kept.values()), target, resamples=1 if few else resamples)
    rows = drawn.intervals()[["adj_r2", "lower", "upper"]].to_numpy(copy=True)
    if few:
        rows[:, 1:] = np.nan
    columns = ("adj_r2", "lower", "upper")
    return {
        name: {c: None if np.isnan(x) else float(x) for c, x in zip(columns, row, strict=True)}
        for name, row in zip(kept, rows, strict=True)
    }


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print what `summarize_study` found: one table, then what it rests on.

    Args:
        console: Where to print.
        summary: What `summarize_study` returns.
    """
    models = summary["models"]
    for target, why in summary["problems"].items():
        console.print(f"No ranking for {plain(target)}: {why}", style="yellow", markup=False)
    if not models:
        return
    targets = [key for key in models[0] if key in TARGETS]
    first, *others = targets
    table = Table(
        title=f"What explains {plain(first)}, by adjusted R²",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("")
    table.add_column("features")
    table.add_column(plain(first), justify="right", style="bold")
    if any((m[first] or {}).get("lower") is not None for m in models):
        table.add_column("95 % interval", justify="right")
    for target in others:
        table.add_column(plain(target), justify="right")
    for place, model in enumerate(models, start=1):
        best = model["name"] in _BEST.values()
        cells = [model["name"] if best else "", " + ".join(model["features"])]
        cells.append(_value(model[first]))
        if len(table.columns) > 3 + len(others):
            cells.append(_interval(model[first]))
        cells += [_value(model[target]) for target in others]
        table.add_row(*cells, end_section=place == len(SIDE_BY_SIDE))
    console.print(table)
    for missing in list(SIZES.values())[len(models) - len(SIDE_BY_SIDE) :]:
        console.print(f"{_BEST[missing].capitalize()}: too few rows or features for it.")
    for line in summary["notes"]:
        console.print(line, markup=False)


def _value(numbers: dict[str, Any] | None) -> str:
    return "constant" if numbers is None else f"{numbers['adj_r2']:.3f}"


def _interval(numbers: dict[str, Any] | None) -> str:
    if numbers is None or numbers["lower"] is None:
        return ""
    return f"{numbers['lower']:.2f} to {numbers['upper']:.2f}"
