"""Fig. 1 of the paper: diversity has to heed both frequency and similarity, shown on images."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from lcrjax.data import Dataset
from lcrjax.measures.counted import diversity
from lcrjax.pairwise import ordinariness
from lcrjax.report.figures.clustered import balanced_sample
from lcrjax.report.figures.pictures import row_of, show
from lcrjax.report.figures.style import PALETTE, Drawn, canvas, panel_letter, styled, tint
from lcrjax.similarity import Similarity

#: Images in each of the four example datasets, and how often five distinct ones occur in two.
_SHOWN = 10
_COUNTS = ((6, 1, 1, 1, 1), (2, 2, 2, 2, 2))
_NAMES = (
    "one image six times,\nfour once",
    "the same five\nimages, twice each",
    "ten images that\nare much alike",
    "ten images that\ndiffer most",
)
_POOL = 1000


@styled
def frequency_and_similarity_figure(
    dataset: Dataset,
    *,
    similarity: Similarity | str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Drawn:
    """Draw four datasets of ten images, and what two measures of diversity make of them (Fig. 1).

    Two of them hold the same five images in other proportions; two hold ten distinct images each,
    the most alike and the most different that are found. Frequencies alone tell the first two
    apart, and only similarity the others.

    Args:
        dataset: Its training images; 1,000 of them are compared.
        similarity: None for RMSD (paper, section III-D).
        seed: Seed of the choice of the 1,000.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Four rows of images, with the effective number of images at q = 1 of each, without and
        with similarity.

    Raises:
        ValueError: If fewer than ten training images differ.

    References:
        Paper, section II-A and Fig. 1.
    """
    images = _distinct(
        dataset.train_images[balanced_sample(dataset.train_labels, _POOL, seed=seed)]
    )
    if len(images) < _SHOWN:
        raise ValueError(f"{len(images)} training images differ: the figure needs {_SHOWN}")
    z = np.asarray(ordinariness(images, np.eye(len(images), dtype=np.float32), similarity))
    alike, different = most_alike(z, _SHOWN), most_different(z, _SHOWN)
    rows = [np.repeat(different[: len(counts)], counts) for counts in _COUNTS] + [alike, different]
    fig = canvas(7.2, 3.3, ax)
    grid = fig.add_gridspec(5, 3, width_ratios=[6, 1, 1], height_ratios=[1, 1, 0.1, 1, 1])
    values = [[_effective(row, relation) for row in rows] for relation in (None, z)]
    for place, name, row, *numbers in zip((0, 1, 3, 4), _NAMES, rows, *values, strict=True):
        strip = fig.add_subplot(grid[place, 0])
        show(strip, row_of(images[row]))
        strip.set_ylabel(name, rotation=0, ha="right", va="center")
        if place in (0, 3):
            panel_letter(strip, "a" if place == 0 else "b")
        for column, (number, found) in enumerate(zip(numbers, values, strict=True)):
            bar = fig.add_subplot(grid[place, 1 + column])
            _draw_bar(bar, number, max(found), last=place == 4)
            if place == 0:
                bar.set_title(("frequency\nalone", "frequency and\nsimilarity")[column], fontsize=8)
    fig.supxlabel(
        "effective number of images, $q$ = 1 (from 1, a single one)", fontsize=7, x=1, ha="right"
    )
    return fig


def most_alike(z: Float[np.ndarray, "n n"], count: int) -> Int[np.ndarray, " count"]:
    """Choose the element whose nearest others are the most similar to it, and these."""
    nearest = np.argsort(-z, axis=1, kind="stable")[:, :count]
    return nearest[np.argmax(np.take_along_axis(z, nearest, axis=1).sum(axis=1))]


def most_different(z: Float[np.ndarray, "n n"], count: int) -> Int[np.ndarray, " count"]:
    """Choose elements one by one, each the least like its likest among those chosen before."""
    chosen = [int(np.argmin(z.sum(axis=1)))]
    while len(chosen) < count:
        likest = z[:, chosen].max(axis=1)
        likest[chosen] = np.inf
        chosen.append(int(np.argmin(likest)))
    return np.array(chosen)


def _distinct(images: np.ndarray) -> np.ndarray:
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    return images[np.sort(first)]


def _effective(row: np.ndarray, z: np.ndarray | None) -> float:
    """Effective number of images in a row; each is counted where it first occurs."""
    _, first, member = np.unique(row, return_index=True, return_inverse=True)
    counts = np.bincount(first[member], minlength=len(row))
    relation = None if z is None else z[np.ix_(row, row)]
    return float(diversity(counts, relation, q=1).dataset_level["gamma"][0])


def _draw_bar(ax: Axes, value: float, largest: float, *, last: bool) -> None:
    """Draw a number as a bar that starts at 1, the least that an effective number can be."""
    ax.barh(0, value - 1, left=1, height=1, color=tint(PALETTE[0], 0.45))
    ax.annotate(f"{value:.2f}", (1, 0), xytext=(3, 0), textcoords="offset points", va="center")
    ax.set(ylim=(-0.9, 0.9), xlim=(1, 1 + 1.05 * (largest - 1)), yticks=[])
    ax.set_xticks([1, largest], ["1", f"{largest:.3g}"])
    ax.tick_params(labelbottom=last, bottom=last)
    ax.spines["bottom"].set_visible(last)
