"""Figure of the second panel: BACC against diversity at one size and class balance."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lcrjax.report.figures.style import GREY, PALETTE, styled

_MARKS = {"avoided": "o", "sought": "x"}


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
