"""Diversity profiles: effective numbers at every viewpoint, of a dataset and its classes."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from lcrjax.data import Dataset
from lcrjax.measures.labelled import measure
from lcrjax.measures.result import Diversity
from lcrjax.report.figures.style import Drawn, canvas, class_colours, panel_letter, styled
from lcrjax.similarity import Similarity
from lcrjax.similarity.spec import USUAL

#: Viewpoint in the middle of the axis, which shows q / (q + _MIDDLE).
_MIDDLE = 5
#: Viewpoints of a profile, evenly spaced on its axis.
PROFILE_ORDERS: tuple[float, ...] = tuple(
    float(_MIDDLE * u / (1 - u)) if u < 1 else np.inf for u in np.linspace(0, 1, 41)
)
#: Viewpoints that are marked on the axis.
VIEWPOINT_TICKS = {0.0: "0", 1.0: "1", 2.0: "2", 5.0: "5", 20.0: "20", np.inf: "∞"}
_PANELS = {
    "alpha": "A, alpha\n(effective image-class pairs)",
    "normalized_rho": "R, normalized rho\n(representativeness, 1 is full)",
    "gamma": "G, gamma\n(effective images)",
}
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)))


@styled
def profile_figure(
    dataset: Dataset | Diversity,
    *,
    similarity: Similarity | str | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """Draw A, R and G against the viewpoint q, of the dataset and of each class.

    Args:
        dataset: Its training elements are measured; or a `Diversity`, best at `PROFILE_ORDERS`.
        similarity: What to measure a dataset with; None for what is usual: RMSD of images, and of
            other kinds as `lcrjax.report.dataset_page` says.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Three panels with a line for every class in its colour and a black one for the dataset. The
        horizontal axis is even in q / (q + 5), so that it has room for infinity.
    """
    found, names = dataset, dataset.class_names
    if isinstance(found, Dataset):
        alike = USUAL[found.kind] if similarity is None else similarity
        given = found.train.elements, found.train_labels
        found = measure(*given, similarity=alike, q=PROFILE_ORDERS, class_names=names)
    q = np.asarray(found.q, np.float64)
    order = np.argsort(q)
    at = place(q[order])
    colours = list(class_colours(names).values())
    fig = canvas(7.2, 3.4, ax)
    axes = fig.subplots(1, len(_PANELS))
    for panel, letter, (name, title) in zip(axes, "abc", _PANELS.items(), strict=True):
        each = np.asarray(found.class_level[name])[order]
        whole = np.asarray(found.dataset_level[name])[order]
        for c, label in enumerate(names):
            panel.plot(
                at, each[:, c], color=colours[c], ls=_DASHES[c // 8 % 3], lw=1.2, label=label
            )
        panel.plot(at, whole, color="black", lw=2, label="dataset")
        panel.set_title(title, fontsize=8)
        panel.set_xticks(place(np.array(list(VIEWPOINT_TICKS))), list(VIEWPOINT_TICKS.values()))
        panel.set(xlim=(0, 1), xlabel="viewpoint $q$")
        panel.grid(axis="y", color="#E5E5E5", lw=0.6)
        panel_letter(panel, letter)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(
        handles[-1:] + handles[:-1], labels[-1:] + labels[:-1],
        loc="outside lower center", ncols=min(6, len(labels)),
    )  # fmt: skip
    return fig


def place(q: Float[np.ndarray, " Q"]) -> Float[np.ndarray, " Q"]:
    """Where a viewpoint stands on the axis, from 0 at 0 to 1 at infinity."""
    return 1 - _MIDDLE / (_MIDDLE + q)
