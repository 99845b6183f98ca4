"""Fig. 3 of the paper: class balance and BACC against size, BACC against A_0, by dataset."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lcrjax.report.figures.style import GREY, dataset_colours, styled, tint
from lcrjax.report.names import mathtext, plain

#: Most panels in a row: so many fill the width of a page at the size that letters have.
_ACROSS = 4
#: Longest title at full size.
_TITLE = 14
_Panel: TypeAlias = tuple[Axes, str, pd.DataFrame]


@styled
def class_balance_figure(table: pd.DataFrame) -> Figure:
    """Draw class balance against subset size, one panel per dataset (Fig. 3a).

    Args:
        table: One row per subset: `dataset`, `size`, `CB_1`, `n_classes`.

    Returns:
        Box plots of CB_1 at each size; a dashed line marks perfect balance.
    """
    fig, panels = _panels(table, ["CB_1", "size", "n_classes"], share_y=False)
    for ax, name, rows in panels:
        sizes = np.sort(rows["size"].unique())
        groups = [rows.loc[rows["size"] == s, "CB_1"].to_numpy() for s in sizes]
        _draw_boxes(ax, groups, dataset_colours(table)[name])
        _category_ticks(ax, [f"{s:g}" for s in sizes])
        ax.axhline(rows["n_classes"].iloc[0], color=GREY, lw=0.8, ls=(0, (4, 3)), zorder=0)
    fig.supxlabel("subset size (images); dashed: perfect balance", fontsize=8)
    _label_left(panels, f"class balance {mathtext('CB_1')}\n(effective number of classes)")
    return fig


@styled
def size_figure(table: pd.DataFrame, target: str = "bacc") -> Figure:
    """Draw performance against subset size, one panel per dataset (Fig. 3b).

    Args:
        table: One row per subset: `dataset`, `size` and `target`.
        target: Column on the vertical axis, a score in [0, 1].

    Returns:
        Box plots at each size; the number is the median at the largest size.
    """
    fig, panels = _panels(table, [target, "size"])
    for ax, name, rows in panels:
        sizes = np.sort(rows["size"].unique())
        groups = [rows.loc[rows["size"] == s, target].to_numpy() for s in sizes]
        _draw_boxes(ax, groups, dataset_colours(table)[name], annotate=True)
        _category_ticks(ax, [f"{s:g}" for s in sizes])
    fig.supxlabel("subset size (images); number: median at the largest", fontsize=8)
    _label_left(panels, plain(target))
    return fig


@styled
def alpha_figure(table: pd.DataFrame, target: str = "bacc", feature: str = "A_0") -> Figure:
    """Draw performance against A_0 over the number of classes, one panel per dataset (Fig. 3c).

    Subsets are cut into bins of equal count, as many as the dataset has sizes: the top bin holds as
    many as the largest size where every size has as many.

    Args:
        table: One row per subset: `dataset`, `size`, `n_classes`, `feature` and `target`.
        target: Column on the vertical axis, a score in [0, 1].
        feature: Column to divide by the number of classes.

    Returns:
        Box plots in each bin, labelled with the bin's median; the number is the top bin's median.
    """
    fig, panels = _panels(table, [target, feature, "size", "n_classes"])
    for ax, name, rows in panels:
        value = rows[feature] / rows["n_classes"]
        bins = equal_bins(value, rows["size"].nunique())
        groups = [rows.loc[bins == b, target].to_numpy() for b in range(bins.max() + 1)]
        _draw_boxes(ax, groups, dataset_colours(table)[name], annotate=True)
        _category_ticks(ax, [f"{value[bins == b].median():.3f}" for b in range(bins.max() + 1)])
    text = f"{mathtext(feature)} / number of classes (median of bin); number: median of the top bin"
    fig.supxlabel(text, fontsize=8)
    _label_left(panels, plain(target))
    return fig


def equal_bins(values: pd.Series, count: int) -> np.ndarray:
    """Number, from 0, of the bin of equal count that each value falls into; ties stay together."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    return pd.factorize(np.searchsorted(edges, values, side="left"), sort=True)[0]


def _panels(
    table: pd.DataFrame, columns: Sequence[str], *, share_y: bool = True
) -> tuple[Figure, list[_Panel]]:
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
    fig = Figure(figsize=(0.8 + 1.6 * max(across, 2), 0.5 + 2.1 * down), layout="constrained")
    axes = fig.subplots(down, across, sharey=share_y, squeeze=False).ravel()
    for ax in axes[len(datasets) :]:
        ax.remove()
    panels = []
    for ax, (name, rows) in zip(axes, datasets, strict=False):
        ax.set_title(name, fontsize=9 * min(1, _TITLE / len(name)))
        if share_y:
            ax.grid(axis="y", color="#E5E5E5", lw=0.6)
            ax.set_axisbelow(True)
        panels.append((ax, name, rows))
    return fig, panels


def _label_left(panels: Sequence[_Panel], text: str) -> None:
    for ax, _, _ in panels:
        spec = ax.get_subplotspec()
        if spec is not None and spec.is_first_col():
            ax.set_ylabel(text)


def _category_ticks(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_xticks(range(len(labels)), labels, rotation=90)
    ax.set_xlim(-0.6, len(labels) - 0.4)


def _draw_boxes(
    ax: Axes, groups: Sequence[np.ndarray], colour: str, *, annotate: bool = False
) -> None:
    """Draw boxes over the quartiles, whiskers of 1.5 interquartile ranges, the last box filled."""
    parts = ax.boxplot(
        list(groups),
        positions=range(len(groups)),
        widths=0.68,
        patch_artist=True,
        manage_ticks=False,
        medianprops={"color": "black", "lw": 1.2},
        whiskerprops={"color": colour, "lw": 0.9},
        capprops={"color": colour, "lw": 0.9},
        flierprops={"marker": "o", "ms": 1.8, "mfc": colour, "mec": "none"},
    )
    for i, box in enumerate(parts["boxes"]):
        top = i == len(groups) - 1
        box.set(facecolor=tint(colour, 0.85 if top else 0.3), edgecolor=colour, linewidth=0.9)
    if annotate and len(groups[-1]):
        ax.margins(y=0.12)  # room for the number below the lowest point
        ax.annotate(
            f"{np.median(groups[-1]):.2f}", (1, 0.01), xycoords="axes fraction",
            ha="right", va="bottom", fontweight="bold", fontsize=7.5,
        )  # fmt: skip
