"""Figure of the curation experiment: what chosen images are worth beside random ones."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lcrjax.report.figures.style import PALETTE, styled

_MARKS = {
    "herding": ("o", PALETTE[0]),
    "facility location": ("s", PALETTE[2]),
    "k-centre": ("v", PALETTE[3]),
    "A_0": ("X", PALETTE[5]),
}


@styled
def curation_figure(rows: pd.DataFrame) -> Figure:
    """Draw BACC against size: random choice as a line with its spread, strategies as points.

    Args:
        rows: One row per model: dataset, size, strategy, repetition, bacc.

    Returns:
        One panel for each dataset; every strategy chooses as many of each class.
    """
    names = list(dict.fromkeys(rows.dataset))
    fig = Figure(figsize=(7.2, 1.75 * -(-len(names) // 4)), layout="constrained")
    axes = np.atleast_1d(fig.subplots(-(-len(names) // 4), 4, sharex=True)).ravel()
    for ax, name in zip(axes, names, strict=False):
        own = rows[rows.dataset == name]
        random = own[own.strategy == "random"].groupby("size").bacc.agg(["mean", "std"])
        spread = random["std"].fillna(0)
        ax.plot(random.index, random["mean"], color="#555555", lw=1.2, label="random")
        ax.fill_between(
            random.index, random["mean"] - spread, random["mean"] + spread, color="#DDDDDD", lw=0
        )
        for strategy, (mark, colour) in _MARKS.items():
            mean = own[own.strategy == strategy].groupby("size").bacc.mean()
            ax.plot(mean.index, mean, mark, color=colour, ms=4, label=strategy)
        ax.set_title(name)
        ax.set_xscale("log", base=2)
        ax.set_xticks([64, 128, 256, 512], ["64", "128", "256", "512"])
        ax.minorticks_off()
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    fig.supxlabel("images, as many of each class", fontsize=8)
    fig.supylabel("balanced accuracy", fontsize=8)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return fig
