"""Fig. 4 of the paper: bars of what single features, pairs, triples and groups explain."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lcrjax.report.figures.style import FAMILY_COLOURS, GREY, panel_letter, styled, tint
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
    table: pd.DataFrame, target: str = "bacc", *, resamples: int = 1000, best: int = 10
) -> Figure:
    """Draw adjusted R-squared of the best singles, pairs and triples and of groups (Fig. 4).

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain; the other targets are marked beside the single features.
        resamples: Bootstrap resamples over subsets for the whiskers (95 %); 0 draws none, and so
            do tables of few rows.
        best: Number of bars in the first three panels.

    Returns:
        Four panels; those that the table has too few rows for say so.

    Raises:
        ValueError: As `rankings` does.
    """
    found = rankings(table, target)
    sets = explain_feature_sets(table, target, sets=_SETS)
    if found["singles"].attrs["rows"] < FEW_ROWS:
        resamples = 0
    fig = Figure(figsize=(7.4, 6.6), layout="constrained")
    axes = fig.subplots(2, 2)
    titles = ("single features", "pairs", "triples")
    for ax, key, title in zip(axes.flat, ("singles", "pairs", "triples"), titles, strict=False):
        ax.set_title(f"best {title}")
        if key in found:
            top = found[key].head(best)
            labels = [combination(features, math=True) for features in top["features"]]
            _bars(ax, table, top, labels, target, resamples)
        else:
            _say(ax, "too few rows or features")
    marks = _mark_other_targets(
        axes[0, 0], table, list(found["singles"]["features"].head(best)), target
    )
    axes[1, 1].set_title("groups of features")
    if len(sets):
        _bars(axes[1, 1], table, sets, list(sets["feature_set"]), target, resamples)
    else:
        _say(axes[1, 1], "too few rows or features")
    for ax, letter in zip(axes.flat, "abcd", strict=True):
        panel_letter(ax, letter)
    for ax in axes[1]:
        ax.set_xlabel(rf"adjusted $R^2$ ({plain(target)})")
    handles: list[Artist] = [
        *(Patch(color=tint(FAMILY_COLOURS[k], _SHADE), label=v) for k, v in _FAMILIES.items()),
        *marks,
    ]
    if resamples:
        handles.append(_whisker("95 % interval (bootstrap over subsets)"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3)
    return fig


def _bars(
    ax: Axes,
    table: pd.DataFrame,
    ranking: pd.DataFrame,
    labels: Sequence[str],
    target: str,
    resamples: int,
) -> None:
    values = ranking["adj_r2"].to_numpy()
    whiskers = None
    if resamples:
        drawn = bootstrap(table, list(ranking["features"]), target, resamples=resamples)
        intervals = drawn.intervals()
        whiskers = np.maximum([values - intervals["lower"], intervals["upper"] - values], 0)
    at = np.arange(len(values))
    families = list(map(family, ranking["features"]))
    colours = [tint(FAMILY_COLOURS[name], _SHADE) for name in families]
    ax.barh(at, np.maximum(values, 0), height=0.72, color=colours)
    if whiskers is not None:
        ax.errorbar(
            values, at, xerr=whiskers, fmt="none", ecolor="black", elinewidth=0.9, capsize=2
        )
    for y, value, name in zip(at, values, families, strict=True):
        dark = value > 0.2 and name == "alpha"
        ax.annotate(
            f"{value:.3f}", (0, y), xytext=(3, 0), textcoords="offset points", va="center",
            fontsize=7, color="white" if dark else "black",
        )  # fmt: skip
    ax.set_yticks(at, labels)
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


def _whisker(label: str) -> Line2D:
    return Line2D([], [], color="black", lw=0.9, marker="|", ms=4, label=label)


def _say(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, ha="center", va="center", color=GREY, transform=ax.transAxes)
    ax.set_axis_off()
