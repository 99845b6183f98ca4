"""Fig. 5 of the paper: which features say nearly the same."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.cluster.hierarchy import dendrogram

from lcrjax.report.figures.style import Drawn, canvas, styled
from lcrjax.report.names import mathtext
from lcrjax.study.analysis.correlation import cluster, squared_correlations


@styled
def correlation_figure(table: pd.DataFrame, *, ax: Axes | None = None) -> Drawn:
    """Draw the clustered matrix of squared correlations among the features (Fig. 5).

    Args:
        table: One row per subset, with the features' columns.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        A heat map with the clustering tree above it; lines delimit clusters of features that share
        at least 80 % of their variance.

    Raises:
        ValueError: As `squared_correlations` does.
    """
    r2, labels, tree = cluster(squared_correlations(table))
    n = len(r2)
    fig = canvas(6.4, 6.6, ax)
    grid = fig.add_gridspec(2, 2, height_ratios=[1, 9], width_ratios=[30, 1])
    top, matrix, bar = (fig.add_subplot(grid[at]) for at in ((0, 0), (1, 0), (1, 1)))

    branches = dendrogram(tree, no_plot=True)
    for x, y in zip(branches["icoord"], branches["dcoord"], strict=True):
        top.plot((np.array(x) - 5) / 10, y, color="black", lw=0.8)
    top.set(xlim=(-0.5, n - 0.5), ylim=(0, None))
    top.set_axis_off()

    image = matrix.imshow(r2.to_numpy(), cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
    names = [mathtext(name) for name in r2.columns]
    matrix.set_xticks(range(n), names, rotation=90)
    matrix.set_yticks(range(n), names)
    matrix.tick_params(length=0)
    matrix.spines[:].set_visible(False)
    for edge in np.flatnonzero(np.diff(labels)) + 0.5:
        matrix.axhline(edge, color="black", lw=1)
        matrix.axvline(edge, color="black", lw=1)
    fig.colorbar(image, cax=bar, label="$R^2$ (logs of the features)")
    bar.spines[:].set_visible(False)
    return fig
