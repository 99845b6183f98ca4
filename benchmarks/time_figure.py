"""Time against size, for programs that compete."""

import pandas as pd
from matplotlib.figure import Figure

from lcrjax.report.figures.style import PALETTE, styled


@styled
def time_figure(times: pd.DataFrame) -> Figure:
    """Draw seconds against n on logarithmic axes, a line per column of `times`."""
    fig = Figure(figsize=(4.6, 3.2), layout="constrained")
    ax = fig.subplots()
    for colour, (name, column) in zip(PALETTE, times.items(), strict=False):
        known = column.dropna()
        ax.loglog(known.index, known, color=colour, marker="o", markersize=3)
        ax.annotate(
            str(name), (known.index[-1], known.iloc[-1]), xytext=(5, 0), color=colour,
            textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip
    ax.set_xlabel("images of 28 × 28 pixels")
    ax.set_ylabel("seconds")
    ax.grid(alpha=0.3, which="major")
    return fig
