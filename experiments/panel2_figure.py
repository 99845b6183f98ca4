"""Figures of the second panel: BACC against diversity at one size and class balance."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lcrjax.report.figures.style import GREY, PALETTE, styled

_MARKS = {"avoided": "o", "sought": "x"}
_RESAMPLES, _SEED = 2_000, 0


@styled
def diversity_figure(table: pd.DataFrame, target: str, diversity: str = "A_1") -> Figure:
    """Draw a score against diversity, a panel for each dataset and a colour for each size.

    Args:
        table: One row per model: dataset, n, outliers, a diversity and a score.
        target: Column of the score.
        diversity: Column of the diversity, on a logarithmic axis.
    """
    names, sizes = sorted(table["dataset"].unique()), sorted(table["n"].unique())
    rows = -(-len(names) // 4)
    fig = Figure(figsize=(7.2, 1.9 * rows), layout="constrained")
    axes = np.atleast_1d(fig.subplots(rows, 4)).ravel()
    colours = dict(zip(sizes, PALETTE, strict=False))
    for ax, name in zip(axes, names, strict=False):
        own = table[table["dataset"] == name]
        for (n, outliers), cell in own.groupby(["n", "outliers"]):
            cell = cell.sort_values(diversity)
            mark = _MARKS[str(outliers)]
            ax.plot(cell[diversity], cell[target], mark, color=colours[n], ms=3.5, mew=1)
        ax.set_title(name)
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    fig.supxlabel("diversity within classes, A₁", fontsize=8)
    fig.supylabel("balanced accuracy", fontsize=8)
    lines = [Line2D([], [], color=c, label=f"{n} images") for n, c in colours.items()]
    lines += [
        Line2D([], [], color=GREY, marker=mark, ls="", label=f"outliers {word}")
        for word, mark in _MARKS.items()
    ]
    fig.legend(handles=lines, loc="outside upper center", ncols=len(lines))
    return fig


@styled
def levels_figure(table: pd.DataFrame, target: str) -> Figure:
    """Draw the mean over datasets of a score, from the most redundant subsets to the most diverse.

    A panel for each size. Bands are 95 % intervals of a bootstrap over datasets, whose own means at
    a size are taken out.

    Args:
        table: One row per model: dataset, n, outliers, level and a score.
        target: Column of the score.
    """
    sizes = sorted(table["n"].unique())
    fig = Figure(figsize=(7.2, 2.6), layout="constrained")
    axes = np.atleast_1d(fig.subplots(1, len(sizes), sharey=True))
    draw = np.random.default_rng(_SEED)
    for ax, n in zip(axes, sizes, strict=True):
        wide = table[table["n"] == n].pivot_table(target, "dataset", ["outliers", "level"])
        apart = wide.sub(wide.mean(axis=1), axis=0)
        again = draw.integers(0, len(wide), (_RESAMPLES, len(wide)))
        for colour, (outliers, mark) in zip(PALETTE, _MARKS.items(), strict=False):
            means, own = wide[outliers].mean(), apart[outliers].to_numpy()
            moved = own[again].mean(axis=1) - own.mean(axis=0)
            low, high = np.quantile(moved, [0.025, 0.975], axis=0)
            place = 2 * means.index.to_numpy() / means.index.max() - 1
            ax.plot(place, means, color=colour, marker=mark, ms=3.5, label=f"outliers {outliers}")
            ax.fill_between(place, means + low, means + high, color=colour, alpha=0.2, lw=0)
        ax.set_title(f"{n} images")
        ax.set_xticks([-1, 0, 1], ["redundant", "random", "diverse"])
    axes[0].set_ylabel("balanced accuracy, mean of datasets")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig
