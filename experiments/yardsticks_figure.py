"""Figure of the yardsticks: profiles of known datasets, and of random parts of them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lcrjax.report.figures.profiles import VIEWPOINT_TICKS, place
from lcrjax.report.figures.style import dataset_colours, styled

_TITLES = {"A": "A (image-class pairs)", "R": "R (1 is full)", "G": "G (distinct images)"}
_ROWS = {"paper": "at the paper's scale", "half median": "at half the median distance"}


@styled
def yardsticks_figure(profiles: pd.DataFrame) -> Figure:
    """Draw A, R and G against the viewpoint, of whole datasets as lines and of parts as bands.

    Args:
        profiles: Columns dataset, similarity, measure, q, whole, low, high.

    Returns:
        A row of three panels for each similarity; the horizontal axis has room for infinity.
    """
    colours = dataset_colours(profiles)
    fig = Figure(figsize=(7.2, 5.4), layout="constrained")
    axes = fig.subplots(len(_ROWS), len(_TITLES), sharex=True)
    for i, (scale, said) in enumerate(_ROWS.items()):
        for j, (letter, title) in enumerate(_TITLES.items()):
            ax = axes[i, j]
            own = profiles[(profiles["similarity"] == scale) & (profiles["measure"] == letter)]
            for name, rows in own.groupby("dataset"):
                at = place(rows["q"].to_numpy())
                ends = rows["low"], rows["high"]
                ax.fill_between(at, *ends, color=colours[str(name)], alpha=0.25, lw=0)
                ax.plot(at, rows["whole"], color=colours[str(name)], lw=1.3, label=name)
            if letter != "R":
                ax.set_yscale("log")
                for formatter in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
                    formatter(lambda y, _: f"{y:g}" if f"{y:e}"[0] in "12357" or y < 2 else "")
            ax.set_title(title if i == 0 else "")
            ax.set_xticks(place(np.array(list(VIEWPOINT_TICKS))), list(VIEWPOINT_TICKS.values()))
        axes[i, 0].set_ylabel(said)
    for ax in axes[-1]:
        ax.set_xlabel("viewpoint $q$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=5)
    return fig
