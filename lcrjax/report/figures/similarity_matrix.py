"""Fig. 2 of the paper: soft clusters within the similarity matrix of a sample of images."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import ConnectionPatch

from lcrjax.data import Dataset
from lcrjax.report.figures.clustered import clustered_sample
from lcrjax.report.figures.pictures import show
from lcrjax.report.figures.style import GREY, Drawn, canvas, class_colours, styled
from lcrjax.similarity import Similarity

#: Example images, and letters of a class's name.
_EXAMPLES, _LETTERS = 5, 22


@styled
def similarity_figure(
    dataset: Dataset,
    *,
    count: int = 128,
    similarity: Similarity | str | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Drawn:
    """Draw the clustered similarity matrix of a class-balanced sample of images (Fig. 2).

    Args:
        dataset: Its training images.
        count: Size of the sample, at least 8.
        similarity: None for RMSD (paper, section III-D).
        seed: Seed of the sample.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        A heat map, above it a row of marks for each class, at its left a bar in the classes'
        colours, at its right images from different regions of it, of different classes where
        possible; and in words the class balance and A of the sample, both at q = 1.

    Raises:
        ValueError: If the sample has fewer than 8 images, or the dataset holds none.

    References:
        Paper, section II-F and Fig. 2.
    """
    if dataset.kind != "images":
        raise ValueError(f"{dataset.name} holds {dataset.kind}: the figure shows images")
    size = min(count, len(dataset.train_labels))
    if size < 8:
        raise ValueError(f"the sample has {size} images: the figure needs 8 at least")
    sample = clustered_sample(dataset, count, similarity=similarity, seed=seed)
    z, images, labels, found = sample.z, sample.elements, sample.labels, sample.found
    fig = canvas(7.2, 6.4, ax)
    grid = fig.add_gridspec(
        3, 3, width_ratios=[1, 36, 7], height_ratios=[0.8 * dataset.n_classes + 0.5, 34, 1]
    )
    matrix, marks, bar = (fig.add_subplot(grid[at]) for at in ((1, 1), (0, 1), (2, 1)))
    low, high = sample.shown
    image = matrix.imshow(z, cmap="cividis", vmin=low, vmax=high, aspect="auto",
                          interpolation="nearest")  # fmt: skip
    matrix.set_axis_off()
    scale = fig.colorbar(image, cax=bar, orientation="horizontal", extend="max")
    scale.set_label("similarity $Z_{ij}$ of two images, 1 on the diagonal")
    scale.outline.set_visible(False)
    _draw_classes(marks, fig.add_subplot(grid[1, 0]), labels, dataset.class_names)
    chosen = examples(z, labels, min(_EXAMPLES, size // 2))
    side = grid[1, 2].subgridspec(len(chosen), 1)
    for i, at in enumerate(chosen):
        _draw_example(fig.add_subplot(side[i]), matrix, images, int(labels[at]), int(at), dataset)
    fig.suptitle(
        f"{size} images of {dataset.name}:  "
        f"$\\mathrm{{CB}}_1$ = {float(found.class_balance[0]):.2f} classes,  "
        f"$\\mathrm{{A}}_1$ = {float(found.dataset_level['alpha'][0]):.2f} image-class pairs",
        fontsize=9,
    )
    return fig


def examples(
    z: Float[np.ndarray, "n n"], labels: Int[np.ndarray, " n"], count: int
) -> Int[np.ndarray, " count"]:
    """Choose the most typical image of each of `count` equal stretches of an ordered matrix.

    Args:
        z: Similarities in the order in which they are drawn.
        labels: Classes in that order.
        count: Number of stretches.

    Returns:
        One place in each stretch, whose class no stretch before it has, where there is such a one.
    """
    chosen: list[int] = []
    for stretch in np.array_split(np.arange(len(z)), count):
        margin = len(stretch) // 5  # neighbouring stretches' examples should not be neighbours
        inner = stretch[margin : len(stretch) - margin]
        typical = z[np.ix_(inner, stretch)].sum(axis=1)
        fresh = ~np.isin(labels[inner], labels[chosen])
        chosen.append(int(inner[np.argmax(np.where(fresh, typical + len(z), typical))]))
    return np.array(chosen)


def _draw_classes(top: Axes, left: Axes, labels: np.ndarray, class_names: tuple[str, ...]) -> None:
    """Mark each image's class: above by a place of its own, at the left by its colour."""
    colours = list(class_colours(class_names).values())
    n, n_classes = len(labels), len(class_names)
    left.imshow(labels[:, None], cmap=ListedColormap(colours), vmin=0, vmax=n_classes - 1,
                aspect="auto", interpolation="nearest")  # fmt: skip
    left.set_axis_off()
    for c, colour in enumerate(colours):
        at = np.flatnonzero(labels == c)
        top.bar(at, 0.8, width=1, bottom=c - 0.4, color=colour, linewidth=0)
    top.set(xlim=(-0.5, n - 0.5), ylim=(n_classes - 0.4, -0.6), xticks=[])
    size = min(7, 160 / n_classes)
    top.yaxis.tick_right()
    top.set_yticks(range(n_classes), [_short(name) for name in class_names], fontsize=size)
    top.tick_params(length=0)
    top.spines[:].set_visible(False)


def _draw_example(
    ax: Axes, matrix: Axes, images: np.ndarray, label: int, at: int, dataset: Dataset
) -> None:
    colour = class_colours(dataset.class_names)[dataset.class_names[label]]
    show(ax, images[at], frame=colour)
    ax.set_title(_short(dataset.class_names[label]), fontsize=7, pad=2)
    line = ConnectionPatch((len(images) - 0.5, at), (0, 0.5), "data", "axes fraction",
                           axesA=matrix, axesB=ax, color=GREY, lw=0.7)  # fmt: skip
    line.set_in_layout(False)
    ax.figure.add_artist(line)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
