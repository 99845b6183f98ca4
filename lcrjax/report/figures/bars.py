"""Fig. 4 of the paper: bars of what single features, pairs, triples and groups explain."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lcrjax.report.figures.style import (
    FAMILY_COLOURS,
    GREY,
    Drawn,
    canvas,
    panel_letter,
    styled,
    tint,
)
from lcrjax.report.names import combination, family, plain
from lcrjax.report.tables import FEW_ROWS, rankings
from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.feature_sets import explain_feature_sets
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import FEATURE_SETS, TARGETS

_SHADE = 0.8
_FAMILIES = {
    "alpha": "with an alpha diversity",
    "usual": "size and class balance only",
    "other": "other features",
}
_MARKERS = {"acc": "o", "auc": "D", "bacc": "s"}
#: The paper's groups, and today's two indicators together.
_SETS: Mapping[str, Sequence[str]] = {
    "all features": FEATURE_SETS["all"],
    "eight alphas": FEATURE_SETS["alphas"],
    "eight gammas": FEATURE_SETS["gammas"],
    "eight rhos": FEATURE_SETS["rhos"],
    combination(("size", "CB_1"), math=True): ("size", "CB_1"),
    "class balances": FEATURE_SETS["class balances"],
    "size": FEATURE_SETS["size"],
}


@styled
def ranking_figure(
    table: pd.DataFrame,
    target: str = "bacc",
    *,
    resamples: int = 1000,
    best: int = 10,
    ax: Axes | None = None,
) -> Drawn:
    """Draw adjusted R-squared of the best singles, pairs and triples and of groups (Fig. 4).

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain; the other targets are marked beside the single features.
        resamples: Bootstrap resamples over subsets for the whiskers (95 %); 0 draws none, and so
            do tables of few rows.
        best: Number of bars in the first three panels.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Four panels; those that the table has too few rows for say so.

    Raises:
        ValueError: As `rankings` does.
    """
    found = {kind: ranking.head(best) for kind, ranking in rankings(table, target).items()}
    sets = explain_feature_sets(table, target, sets=_SETS)
    if found["singles"].attrs["rows"] < FEW_ROWS:
        resamples = 0
    panels = {
        "best single features": found["singles"],
        "best pairs": found.get("pairs"),
        "best triples": found.get("triples"),
        "groups of features": sets,
    }
    fig = canvas(7.4, 6.6, ax)
    axes = fig.subplots(2, 2)
    for panel, letter, (title, ranking) in zip(axes.flat, "abcd", panels.items(), strict=True):
        panel.set_title(title)
        if ranking is None or ranking.empty:
            panel.text(0.5, 0.5, "too few rows or features", ha="center", va="center", color=GREY,
                       transform=panel.transAxes)  # fmt: skip
            panel.set_axis_off()
        else:
            _bars(panel, table, ranking, target, resamples)
        panel_letter(panel, letter)
    marks = _mark_other_targets(axes[0, 0], table, list(found["singles"]["features"]), target)
    for panel in axes[1]:
        panel.set_xlabel(rf"adjusted $R^2$ ({plain(target)})")
    handles: list[Artist] = [
        *(Patch(color=tint(FAMILY_COLOURS[k], _SHADE), label=v) for k, v in _FAMILIES.items()),
        *marks,
    ]
    if resamples:
        label = "95 % interval (bootstrap over subsets)"
        handles.append(Line2D([], [], color="black", lw=0.9, marker="|", ms=4, label=label))
    fig.legend(handles=handles, loc="outside lower center", ncols=3)
    return fig


def _bars(
    ax: Axes, table: pd.DataFrame, ranking: pd.DataFrame, target: str, resamples: int
) -> None:
    values = ranking["adj_r2"].to_numpy()
    names = ranking.get("feature_set", ranking["features"].map(partial(combination, math=True)))
    at = np.arange(len(values))
    families = list(map(family, ranking["features"]))
    colours = [tint(FAMILY_COLOURS[name], _SHADE) for name in families]
    ax.barh(at, np.maximum(values, 0), height=0.72, color=colours)
    if resamples:
        drawn = bootstrap(table, list(ranking["features"]), target, resamples=resamples)
        intervals = drawn.intervals()
        whiskers = np.maximum([values - intervals["lower"], intervals["upper"] - values], 0)
        ax.errorbar(
            values, at, xerr=whiskers, fmt="none", ecolor="black", elinewidth=0.9, capsize=2
        )
    for y, value, name in zip(at, values, families, strict=True):
        dark = value > 0.2 and name == "alpha"
        ax.annotate(
            f"{value:.3f}", (0, y), xytext=(3, 0), textcoords="offset points", va="center",
            fontsize=7, color="white" if dark else "black",
        )  # fmt: skip
    ax.set_yticks(at, list(names))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(len(values), len(_SETS)) - 0.4, -0.6)
    ax.set_xlim(0, 1)


def _mark_other_targets(
    ax: Axes, table: pd.DataFrame, features: list[tuple[str, ...]], target: str
) -> list[Line2D]:
    marks = []
    for other in TARGETS:
        if other == target or other not in table.columns:
            continue
        try:
            found = search(table, other).set_index("features")["adj_r2"]
        except ValueError:
            continue  # a constant or missing second target is no reason to lose the figure
        x = [found.get(name, np.nan) for name in features]
        marks += ax.plot(
            x, np.arange(len(x)), _MARKERS[other], ms=4, mfc="white", mec="black", mew=0.9,
            label=plain(other), ls="none",
        )  # fmt: skip
    return marks
