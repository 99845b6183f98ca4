"""One small picture for each measure, of the examples that the page on measures gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lcrjax
from lcrjax.report import PROFILE_ORDERS
from lcrjax.report.figures.profiles import VIEWPOINT_TICKS, place
from lcrjax.report.figures.style import GREY, PALETTE, styled, tint

APPLES, MIXED = np.array([6, 1, 1, 1, 1]), np.array([2, 2, 2, 2, 2])
FRUIT = {
    ("orange", "mandarin", "clementine"): np.array([[1, 0.9, 0.8], [0.9, 1, 0.9], [0.8, 0.9, 1]]),
    ("melon", "cherry", "banana"): np.array([[1, 0.1, 0.2], [0.1, 1, 0.1], [0.2, 0.1, 1]]),
}
LIKE = lcrjax.Laplacian(0.7)
PALE = tint(GREY, 0.35)


def panels(count: int, width: float = 1.8, height: float = 2.1) -> tuple[Figure, Any]:
    """A low row of panels, each so wide."""
    fig = Figure(figsize=(width * count, height), layout="constrained")
    return fig, fig.subplots(1, count)


def points(spread: float, middle: float, seed: int = 0) -> np.ndarray:
    """Twenty points on a plane."""
    return np.random.default_rng(seed).normal((middle, 0), spread, (20, 2))


def plane(ax: Axes) -> None:
    """A plane without numbers."""
    ax.set(xlim=(-2.6, 2.6), ylim=(-2.2, 2.2), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set(visible=True, color=PALE)


@styled
def effective_numbers() -> Figure:
    """Two bowls, and the equally common kinds that would be as diverse."""
    fig, axes = panels(2)
    for ax, bowl in zip(axes, (APPLES, MIXED), strict=True):
        number = float(lcrjax.hill_number(bowl, 1))
        ax.bar(range(5), bowl / 10, color=PALETTE[0], width=0.7)
        ax.bar(number / 2 - 0.5, 1 / number, width=number, fill=False, ec=PALETTE[1], lw=1.5)
        ax.set(title=f"as {number:.2f} equal kinds", xlabel="kind", xticks=[], ylim=(0, 0.65))
    axes[0].set_ylabel("share")
    return fig


@styled
def viewpoints() -> Figure:
    """The same bowls at every viewpoint."""
    fig, ax = panels(1, 3.6)
    for bowl, name, colour in ((MIXED, "mixed", 2), (APPLES, "mostly apples", 0)):
        numbers = [float(lcrjax.hill_number(bowl, q)) for q in PROFILE_ORDERS]
        ax.plot(place(np.array(PROFILE_ORDERS)), numbers, color=PALETTE[colour], label=name)
    ax.set_xticks(place(np.array(list(VIEWPOINT_TICKS))), list(VIEWPOINT_TICKS.values()))
    ax.set(xlabel="viewpoint $q$", ylabel="effective kinds", ylim=(0, 5.3))
    ax.legend(loc="lower left")
    return fig


@styled
def ordinariness() -> Figure:
    """Similarities of two bowls of three kinds, and the mean of each row."""
    fig, axes = panels(2, 2.7, 2.3)
    for ax, (names, Z) in zip(axes, FRUIT.items(), strict=True):
        shown = np.column_stack([Z, np.full(3, np.nan), Z @ np.full(3, 1 / 3)])
        ax.imshow(shown, cmap="Blues", vmin=0, vmax=1.3)
        for (i, j), value in np.ndenumerate(shown):
            if np.isfinite(value):
                ink = "white" if value > 0.7 else "black"
                ax.text(j, i, f"{value:.2g}", ha="center", va="center", fontsize=7, color=ink)
        ax.set_xticks([1, 4], ["Z", "Zp"])
        ax.set_yticks(range(3), names)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    return fig


@styled
def normalized_alpha() -> Figure:
    """One class alone: near points count together."""
    fig, axes = panels(3)
    for ax, spread in zip(axes, (0.1, 0.4, 1.0), strict=True):
        own = points(spread, 0)
        D = lcrjax.measure(own, np.zeros(20, int), similarity=LIKE, q=1)
        ax.plot(*own.T, "o", color=PALETTE[0], ms=3.5, alpha=0.8)
        plane(ax)
        ax.set_title(f"{float(D.class_level['normalized_alpha'][0, 0]):.1f} of 20 points")
    return fig


@styled
def representativeness() -> Figure:
    """A class that the other leaves more and more alone."""
    fig, axes = panels(3)
    for ax, apart in zip(axes, (0.0, 0.8, 1.6), strict=True):
        two = np.concatenate([points(0.5, -apart / 2), points(0.5, apart / 2, seed=1)])
        D = lcrjax.measure(two, np.repeat([0, 1], 20), similarity=LIKE, q=1)
        for own, mark, colour in ((two[20:], "s", PALE), (two[:20], "o", PALETTE[0])):
            ax.plot(*own.T, mark, color=colour, ms=3.5, alpha=0.8)
        plane(ax)
        rho, beta = (float(D.class_level[m][0, 0]) for m in ("normalized_rho", "normalized_beta"))
        ax.set_title(f"rho {rho:.2f}, beta {beta:.2f}")
    return fig


@styled
def unusualness() -> Figure:
    """A class of the same points, which are usual or not by what else there is."""
    fig, axes = panels(3)
    for ax, middle in zip(axes, (-1.2, 0.2, 1.6), strict=True):
        two = np.concatenate([points(0.4, -1.2), points(0.4, middle, seed=1)])
        D = lcrjax.measure(two, np.repeat([0, 1], 20), similarity=LIKE, q=1)
        unusual = 1 / np.asarray(lcrjax.ordinariness(two, np.full(40, 1 / 40), LIKE))
        ax.plot(*two[20:].T, "s", color=PALE, ms=3.5, alpha=0.8)
        ax.scatter(*two[:20].T, s=6 * unusual[:20], color=PALETTE[0], alpha=0.8, lw=0)
        plane(ax)
        ax.set_title(f"gamma {float(D.class_level['gamma'][0, 0]):.1f}")
    return fig


@styled
def relative_and_cross() -> Figure:
    """Two distributions over ordered kinds, of which near ones are alike."""
    fig, axes = panels(3)
    at = np.arange(9)
    Z = np.exp(-np.abs(at[:, None] - at) / 2)
    p = np.exp(-(((at - 2.5) / 1.2) ** 2))
    for ax, middle in zip(axes, (2.5, 4.0, 6.5), strict=True):
        r = np.exp(-(((at - middle) / 1.2) ** 2))
        ax.bar(at, p / p.sum(), color=PALETTE[0], width=0.9, label="p")
        ax.step(at, r / r.sum(), where="mid", color=PALETTE[1], label="r")
        far = float(lcrjax.relative_diversity(p, r, Z, 1))
        cross = float(lcrjax.cross_diversity(p, r, Z, 1))
        ax.set(title=f"relative {far:.2f}\ncross {cross:.2f}", xticks=[], yticks=[], xlabel="kind")
    axes[0].legend(loc="upper right")
    return fig


@styled
def vendi() -> Figure:
    """Eigenvalues of twenty points' similarities, tight and varied."""
    fig, axes = panels(3)
    for ax, spread in zip(axes, (0.1, 0.4, 1.0), strict=True):
        own = points(spread, 0)
        Z = np.exp(-np.linalg.norm(own[:, None] - own, axis=-1) / 0.7)
        ax.bar(range(20), np.linalg.eigvalsh(Z / 20)[::-1], color=PALETTE[0])
        score = float(lcrjax.vendi_score(np.ones(20), Z, 1))
        ax.set(title=f"Vendi score {score:.1f}", xlabel="eigenvalue", xticks=[], ylim=(0, 1))
    axes[0].set_ylabel("share")
    return fig


@styled
def rarefaction() -> Figure:
    """Kinds seen in parts of two catches, which are compared at one size."""
    fig, ax = panels(1, 3.6)
    catches = {"day": [10, 5, 3, 1, 1, 0, 0, 0, 0], "night": [40, 20, 12, 7, 5, 4, 2, 1, 1]}
    for colour, (name, counts) in enumerate(catches.items()):
        sizes = np.unique(np.linspace(1, sum(counts), 30).astype(int))
        table = lcrjax.rarefy({name: counts}, size=sizes, q=0, resamples=0)
        ax.plot(table["size"], table["diversity"], color=PALETTE[colour], label=name)
        ax.plot(sum(counts), np.count_nonzero(counts), "o", color=PALETTE[colour], ms=4)
    ax.axvline(20, color=GREY, lw=0.8, ls=":")
    ax.set(xlabel="individuals", ylabel="kinds ($q = 0$)", ylim=(0, 10))
    ax.legend(loc="lower right")
    return fig


#: By the names of their files.
MEASURE_FIGURES: dict[str, Callable[[], Figure]] = {
    "measure-effective-numbers": effective_numbers,
    "measure-viewpoint": viewpoints,
    "measure-ordinariness": ordinariness,
    "measure-normalized-alpha": normalized_alpha,
    "measure-rho": representativeness,
    "measure-gamma": unusualness,
    "measure-relative": relative_and_cross,
    "measure-vendi": vendi,
    "measure-rarefaction": rarefaction,
}
