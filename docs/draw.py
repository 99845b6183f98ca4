"""Pictures of the documentation and the README, drawn by `python docs/draw.py`."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from measure_figures import MEASURE_FIGURES

import lcrjax
from lcrjax.data import load
from lcrjax.report import (
    PROFILE_ORDERS,
    frequency_and_similarity_figure,
    profile_figure,
    similarity_figure,
)
from lcrjax.report.figures.style import PALETTE, styled

IMAGES = Path(__file__).parent / "images"


def save(figure: Figure, name: str) -> None:
    """Write a picture of few colours, which keeps it small."""
    figure.savefig(
        IMAGES / f"{name}.png", dpi=110, pil_kwargs={"optimize": True}, metadata={"Software": None}
    )


#: Middles and spreads of two classes of points on a plane, and their sizes.
FOUR = {
    "two tight classes": ((-1, 1), (0.15, 0.15), (20, 20)),
    "varied, apart": ((-1, 1), (0.55, 0.55), (20, 20)),
    "varied, together": ((0, 0), (0.9, 0.9), (20, 20)),
    "one class is rare": ((-1, 1), (0.55, 0.55), (36, 4)),
}


@styled
def measures_figure() -> Figure:
    """Draw four sets of points in two classes, with what A, R, G and class balance make of each."""
    fig = Figure(figsize=(7.2, 2.7), layout="constrained")
    for ax, (name, (middles, spreads, sizes)) in zip(fig.subplots(1, 4), FOUR.items(), strict=True):
        labels = np.repeat([0, 1], sizes)
        points = np.random.default_rng(0).normal(size=(40, 2))
        points = points * np.array(spreads)[labels, None]
        points[:, 0] += np.array(middles)[labels]
        D = lcrjax.measure(points, labels, similarity=lcrjax.Laplacian(0.7), q=1)
        for label, mark in enumerate("os"):
            own = points[labels == label]
            ax.plot(*own.T, mark, color=PALETTE[label], ms=3.5, alpha=0.8)
        A, R, G = (D.dataset_level[m][0] for m in ("alpha", "normalized_rho", "gamma"))
        ax.set(title=name, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xticks=[], yticks=[], aspect="equal")
        said = f"A = {A:.1f}\n= {D.class_balance[0]:.2f} · {G:.2f} · {R:.2f}"
        ax.set_xlabel(f"{said}\n(balance · G · R)")
    return fig


if __name__ == "__main__":
    digits = load("digits")
    measured = lcrjax.measure(digits.train_images, digits.train_labels, q=PROFILE_ORDERS)
    IMAGES.mkdir(exist_ok=True)
    for name, draw in MEASURE_FIGURES.items():
        save(draw(), name)
    save(measures_figure(), "measures")
    save(frequency_and_similarity_figure(digits), "sense")
    save(similarity_figure(digits), "similarity")
    save(profile_figure(measured), "profiles")
