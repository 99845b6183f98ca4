"""The study's answer as tables on a terminal."""

import contextlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from lcrjax.report.names import combination, plain
from lcrjax.study.analysis.combinations import search_sizes
from lcrjax.study.columns import PARAMETERS

#: What a combination of so many features is called.
SIZES = {1: "singles", 2: "pairs", 3: "triples"}
#: Today's two indicators of a dataset's quality, and the paper's best.
SIDE_BY_SIDE = ("size", "CB_1", "A_0")
#: Below this a note warns of chance.
FEW_ROWS = 40
_BAR = 24


def rankings(
    table: pd.DataFrame, target: str = "bacc", always: Sequence[str] = PARAMETERS
) -> dict[str, pd.DataFrame]:
    """Rank every single feature, pair and triple by adjusted R-squared.

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain.
        always: Columns in every regression.

    Returns:
        `singles`, `pairs` and `triples`, each as `lcrjax.study.search` returns it. Those that the
        table has too few rows or varying features for are absent.

    Raises:
        ValueError: If not even single features can be regressed on; the sentence says why.
    """
    for sizes in ((1, 2, 3), (1, 2)):
        with contextlib.suppress(ValueError):
            return _named(search_sizes(table, target, sizes, always))
    return _named(search_sizes(table, target, (1,), always))


def _named(found: dict[int, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {SIZES[size]: frame for size, frame in found.items()}


def print_rankings(
    console: Console, table: pd.DataFrame, targets: Sequence[str] = ("bacc", "acc", "auc")
) -> None:
    """Print which features explain performance: the first target at length, the others in short.

    Args:
        console: Where to print.
        table: One row per subset, as `run_study` returns it.
        targets: Columns to explain, the most important first.
    """
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for target in targets:
        try:
            found[target] = rankings(table, target)
        except ValueError as error:
            console.print(f"No ranking for {plain(target)}: {error}", style="yellow", markup=False)
    if not found:
        return
    first = next(iter(found))
    for line in notes(found[first]["singles"]):
        console.print(line, markup=False)
    console.print()
    console.print(_ranking_table(found[first]["singles"], first, "Single features", bar=True))
    for key, title in (("pairs", "Best pairs"), ("triples", "Best triples")):
        if key in found[first]:
            console.print(_ranking_table(found[first][key].head(10), first, title))
        else:
            console.print(f"{title}: the table has too few rows or features for them.\n")
    for target in list(found)[1:]:
        console.print(_short_table(found[target], target))
    console.print(_side_by_side_table({t: f["singles"] for t, f in found.items()}))


def notes(ranking: pd.DataFrame) -> list[str]:
    """Say in sentences what a ranking rests on: rows, columns in every regression or dropped."""
    attrs: Any = ranking.attrs
    lines = [f"Regressions on {attrs['rows']} subsets, features on natural logs."]
    if attrs["rows_missing"]:
        lines.append(f"{attrs['rows_missing']} rows lack a value and were left out.")
    if attrs["always"]:
        lines.append(f"In every regression: {', '.join(map(plain, attrs['always']))}.")
    if attrs["dropped"]:
        dropped = ", ".join(map(plain, attrs["dropped"]))
        lines.append(f"Constant over the table and therefore dropped: {dropped}.")
    if attrs["rows"] < FEW_ROWS:
        lines.append(f"Fewer than {FEW_ROWS} subsets: much of this ranking is chance.")
    return lines


def _ranking_table(ranking: pd.DataFrame, target: str, title: str, *, bar: bool = False) -> Table:
    table = Table(title=f"{title}, {plain(target)}", title_justify="left", title_style="bold")
    table.add_column("", justify="right")
    table.add_column("feature" if bar else "features")
    table.add_column("adjusted R²", justify="right")
    if bar:
        table.add_column("", width=_BAR)
    rows = zip(ranking["features"], ranking["adj_r2"], strict=True)
    for place, (features, adj_r2) in enumerate(rows, start=1):
        name = combination(features)
        style = "bold" if bar and features[0] in SIDE_BY_SIDE else None
        cells = [str(place), name, f"{adj_r2:.3f}"]
        table.add_row(*cells, *(["█" * round(_BAR * max(adj_r2, 0))] if bar else []), style=style)
    return table


def _short_table(found: dict[str, pd.DataFrame], target: str) -> Table:
    table = Table(title=f"Best for {plain(target)}", title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("features")
    table.add_column("adjusted R²", justify="right")
    for key, frame in found.items():
        top = frame.head(5 if key == "singles" else 3)
        for i, (features, r2) in enumerate(zip(top["features"], top["adj_r2"], strict=True)):
            table.add_row(key if i == 0 else "", combination(features), f"{r2:.3f}")
        table.add_section()
    return table


def _side_by_side_table(singles: dict[str, pd.DataFrame]) -> Table:
    table = Table(title="Side by side, adjusted R²", title_justify="left", title_style="bold")
    table.add_column("feature")
    for target in singles:
        table.add_column(plain(target), justify="right")
    values = {t: dict(zip(f["features"], f["adj_r2"], strict=True)) for t, f in singles.items()}
    for name in SIDE_BY_SIDE:
        cells = [values[t].get((name,)) for t in singles]
        table.add_row(plain(name), *("constant" if v is None else f"{v:.3f}" for v in cells))
    return table
