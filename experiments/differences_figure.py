"""Figure of predicted differences: reliability, and what every candidate measure is worth."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lcrjax.report.figures.style import GREY, PALETTE, panel_letter, styled

#: Candidates that are named; all others are dots.
_NAMED = {
    "own_signal[rmsd:30]": "own signal",
    "class counts alone": "class counts alone",
    "A_0[laplacian:0.5median]": "A$_0$, half the median",
    "nn_bacc[rmsd:1]": "nearest neighbour",
    "A_0": "A$_0$ of the paper",
    "A_1": "A$_1$",
    "CB_1": "class balance",
    "size": "size",
}
_COLOURS = {"size": PALETTE[1], "CB_1": PALETTE[2], "class_signal + A_0[half median]": PALETTE[0],
            "three": PALETTE[7]}  # fmt: skip
_SAID = {
    "size": "size",
    "CB_1": "class balance",
    "class_signal + A_0[half median]": "class counts and A$_0$ (half the median)",
    "three": "three that the others chose",
}


@styled
def differences_figure(candidates: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """Draw reliability curves, and R² and concordance of every candidate.

    Args:
        candidates: Of `experiments.differences.judged`, one row per measure.
        curves: Of `reliability`, with `model` and `pairs of`.
    """
    fig = Figure(figsize=(7.2, 6.2), layout="constrained")
    top, bottom = fig.subfigures(2, 1, height_ratios=[1, 1.25])
    left, right = top.subplots(1, 2, sharex=True, sharey=True)
    for ax, pairs in ((left, "any size"), (right, "one size")):
        _reliability(ax, curves[curves["pairs of"] == pairs])
        ax.set_title(f"two subsets of {pairs}")
    left.set_ylabel("share in which it was")
    left.legend(loc="lower right")
    axes = bottom.subplots(1, 2)
    _ranked(axes[0], candidates, "r2", "R² of differences in BACC, any size")
    _ranked(axes[1], candidates, "same_concordance", "concordance at equal size")
    axes[1].axvline(0.88, color=GREY, lw=0.7, ls=":")
    for ax, letter in zip((left, right, *axes), "abcd", strict=True):
        panel_letter(ax, letter)
    return fig


def _reliability(ax: Axes, curves: pd.DataFrame) -> None:
    ax.plot([0.5, 1], [0.5, 1], color=GREY, lw=0.7, ls=":")
    for name, curve in curves.groupby("model", sort=False):
        colour = _COLOURS[str(name)]
        ax.fill_between(
            curve["probability"], curve["lower_datasets"], curve["upper_datasets"],
            color=colour, alpha=0.12, lw=0,
        )  # fmt: skip
        ax.plot(
            curve["probability"], curve["right"], "o-", ms=2.5, lw=1, color=colour,
            label=_SAID[str(name)],
        )  # fmt: skip
    ax.set_xlabel("said to be better with probability")
    ax.set_xlim(0.49, 1.01)
    ax.set_ylim(0.4, 1.02)


def _ranked(ax: Axes, candidates: pd.DataFrame, kind: str, label: str) -> None:
    """All candidates by rank, their intervals over datasets (thin) and subsets (thick)."""
    found = candidates.sort_values(kind, ignore_index=True)
    place = np.arange(len(found))
    for over, width, colour in (("datasets", 0.5, "#D5D5D5"), ("subsets", 0.9, "#A0A0A0")):
        ax.hlines(
            place, found[f"{kind}_lower_{over}"], found[f"{kind}_upper_{over}"],
            color=colour, lw=width,
        )  # fmt: skip
    ax.plot(found[kind], place, ".", ms=1.5, color="black")
    named = found[found["model"].isin(_NAMED)]
    heights = _apart(named.index.to_numpy(float), 0.055 * len(found))
    low = -0.45 if kind == "r2" else 0.3
    for (at, row), height in zip(named.iterrows(), heights, strict=True):
        name = row["model"]
        ax.plot(row[kind], at, "o", ms=4, color=PALETTE[5])
        ax.annotate(
            f"{_NAMED[name]}  {row[kind]:.2f}", (row[kind], at), (low, height),
            textcoords="data", va="center", fontsize=6.5,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": PALETTE[5], "shrinkB": 2,
                        "relpos": (1, 0.5)},
        )  # fmt: skip
    ax.set_xlim(low - 0.02, 1.0)
    ax.set_ylim(-5, 1.22 * len(found))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"{label} ({len(found)} measures)")


def _apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Move heights, which ascend, up so that each is so far above the last."""
    moved = heights.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + least)
    return moved
