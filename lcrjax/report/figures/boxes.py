"""Fig. 3 of the paper: class balance and BACC against size, BACC against A_0, by dataset."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from lcrjax.report.figures.style import GREY, Drawn, canvas, dataset_colours, styled, tint
from lcrjax.report.names import mathtext, plain

#: Most panels in a row: so many fill the width of a page at the size that letters have.
_ACROSS = 4
#: Longest title at full size.
_TITLE = 14
#: Where to draw a dataset, its colour and its rows.
_Panel: TypeAlias = tuple[Axes, str, pd.DataFrame]


@styled
def class_balance_figure(table: pd.DataFrame, *, ax: Axes | None = None) -> Drawn:
    """Draw class balance against subset size, one panel per dataset (Fig. 3a).

    Args:
        table: One row per subset: `dataset`, `size`, `CB_1`, `n_classes`.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Box plots of CB_1 at each size; a dashed line marks perfect balance.
    """
    fig, panels = _panels(table, ["CB_1", "size", "n_classes"], ax, share_y=False)
    for panel, colour, rows in panels:
        _draw_boxes(panel, [(f"{size:g}", cb) for size, cb in rows.groupby("size")["CB_1"]], colour)
        panel.axhline(rows["n_classes"].iloc[0], color=GREY, lw=0.8, ls=(0, (4, 3)), zorder=0)
    left = f"class balance {mathtext('CB_1')}\n(effective number of classes)"
    _label(fig, panels, "subset size (images); dashed: perfect balance", left)
    return fig


@styled
def size_figure(table: pd.DataFrame, target: str = "bacc", *, ax: Axes | None = None) -> Drawn:
    """Draw performance against subset size, one panel per dataset (Fig. 3b).

    Args:
        table: One row per subset: `dataset`, `size` and `target`.
        target: Column on the vertical axis, a score in [0, 1].
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Box plots at each size; the number is the median at the largest size.
    """
    fig, panels = _panels(table, [target, "size"], ax)
    for panel, colour, rows in panels:
        by_size = [(f"{size:g}", scores) for size, scores in rows.groupby("size")[target]]
        _draw_boxes(panel, by_size, colour, annotate=True)
    _label(fig, panels, "subset size (images); number: median at the largest", plain(target))
    return fig


@styled
def alpha_figure(
    table: pd.DataFrame, target: str = "bacc", feature: str = "A_0", *, ax: Axes | None = None
) -> Drawn:
    """Draw performance against A_0 over the number of classes, one panel per dataset (Fig. 3c).

    Subsets are cut into bins of equal count, as many as the dataset has sizes: the top bin holds as
    many as the largest size where every size has as many.

    Args:
        table: One row per subset: `dataset`, `size`, `n_classes`, `feature` and `target`.
        target: Column on the vertical axis, a score in [0, 1].
        feature: Column to divide by the number of classes.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Box plots in each bin, labelled with the bin's median; the number is the top bin's median.
    """
    fig, panels = _panels(table, [target, feature, "size", "n_classes"], ax)
    for panel, colour, rows in panels:
        value = rows[feature] / rows["n_classes"]
        bins = equal_bins(value, rows["size"].nunique())
        both = zip(value.groupby(bins), rows[target].groupby(bins), strict=True)
        by_bin = [(f"{own.median():.3f}", scores) for (_, own), (_, scores) in both]
        _draw_boxes(panel, by_bin, colour, annotate=True)
    text = f"{mathtext(feature)} / number of classes (median of bin); number: median of the top bin"
    _label(fig, panels, text, plain(target))
    return fig


def equal_bins(values: pd.Series, count: int) -> np.ndarray:
    """Number, from 0, of the bin of equal count that each value falls into; ties stay together."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    return pd.factorize(np.searchsorted(edges, values, side="left"), sort=True)[0]


def _panels(
    table: pd.DataFrame, columns: Sequence[str], ax: Axes | None, *, share_y: bool = True
) -> tuple[FigureBase, list[_Panel]]:
    """Lay out a panel for every dataset that has a row with all the columns."""
    for name in ("dataset", *columns):
        if name not in table.columns:
            raise ValueError(f"the table has no column {name!r}: the figure shows it")
    complete = table.dropna(subset=list(columns))
    datasets = sorted(complete.groupby(complete["dataset"].astype(str)))
    if not datasets:
        raise ValueError(
            f"no row of the table has all of {', '.join(columns)}: there is nothing to draw"
        )
    down = math.ceil(len(datasets) / _ACROSS)
    across = math.ceil(len(datasets) / down)
    fig = canvas(0.8 + 1.6 * max(across, 2), 0.5 + 2.1 * down, ax)
    axes = fig.subplots(down, across, sharey=share_y, squeeze=False).ravel()
    for panel in axes[len(datasets) :]:
        panel.remove()
    panels = []
    for panel, (name, rows) in zip(axes, datasets, strict=False):
        panel.set_title(name, fontsize=9 * min(1, _TITLE / len(name)))
        if share_y:
            panel.grid(axis="y", color="#E5E5E5", lw=0.6)
            panel.set_axisbelow(True)
        panels.append((panel, dataset_colours(table)[name], rows))
    return fig, panels


def _label(fig: FigureBase, panels: Sequence[_Panel], below: str, left: str) -> None:
    fig.supxlabel(below, fontsize=8)
    for ax, _, _ in panels:
        spec = ax.get_subplotspec()
        if spec is not None and spec.is_first_col():
            ax.set_ylabel(left)


def _draw_boxes(
    ax: Axes, groups: Sequence[tuple[str, pd.Series]], colour: str, *, annotate: bool = False
) -> None:
    """Draw boxes over the quartiles, whiskers of 1.5 interquartile ranges, the last box filled."""
    values = [group.to_numpy() for _, group in groups]
    parts = ax.boxplot(
        values,
        positions=range(len(values)),
        widths=0.68,
        patch_artist=True,
        manage_ticks=False,
        medianprops={"color": "black", "lw": 1.2},
        whiskerprops={"color": colour, "lw": 0.9},
        capprops={"color": colour, "lw": 0.9},
        flierprops={"marker": "o", "ms": 1.8, "mfc": colour, "mec": "none"},
    )
    for i, box in enumerate(parts["boxes"]):
        top = i == len(values) - 1
        box.set(facecolor=tint(colour, 0.85 if top else 0.3), edgecolor=colour, linewidth=0.9)
    ax.set_xticks(range(len(groups)), [label for label, _ in groups], rotation=90)
    ax.set_xlim(-0.6, len(groups) - 0.4)
    if annotate:
        ax.margins(y=0.12)  # room for the number below the lowest point
        ax.annotate(
            f"{np.median(values[-1]):.2f}", (1, 0.01), xycoords="axes fraction",
            ha="right", va="bottom", fontweight="bold", fontsize=7.5,
        )  # fmt: skip
