"""Learning curves of models trained on full datasets."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lcrjax.report.figures.style import GREY, PALETTE, Drawn, canvas, styled

_SCORES = {"bacc": "BACC", "acc": "ACC", "auc": "AUC"}


@styled
def learning_curve_figure(curves: Mapping[str, pd.DataFrame], *, ax: Axes | None = None) -> Drawn:
    """Draw loss, training accuracy and test performance over the epochs, a column per dataset.

    Args:
        curves: Learning curves as `train_full` returns them, by the name of their dataset.
        ax: Axes of a grid, whose place the figure takes; None for a figure of its own.

    Returns:
        Loss in the upper row; in the lower row accuracy on the images trained on (inference mode)
        and ACC, BACC and AUC on the test set, and BACC on a validation set where there was one.

    Raises:
        ValueError: If there is no curve.
    """
    if not curves:
        raise ValueError("there is no learning curve: give one at least")
    fig = canvas(0.6 + 2.2 * max(len(curves), 2), 3.8, ax)
    axes = fig.subplots(
        2, len(curves), squeeze=False, sharex="col", sharey="row", height_ratios=(2, 3)
    )
    for (upper, lower), (name, curve) in zip(axes.T, curves.items(), strict=True):
        upper.set_title(name)
        epoch, validation = curve["epoch"], curve["validation_bacc"]
        upper.plot(epoch, curve["loss"], color=GREY, marker=".")
        lower.plot(epoch, curve["sample_accuracy"], color=GREY, ls="--", label="training accuracy")
        if validation.notna().any():
            lower.plot(epoch, validation, color="black", ls=":", label="validation BACC")
        for colour, (key, label) in zip(PALETTE, _SCORES.items(), strict=False):
            lower.plot(epoch, curve[f"test_{key}"], color=colour, marker=".", label=f"test {label}")
        lower.set_xlabel("epoch")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel("training loss")
    axes[0, 0].set_yscale("log")
    axes[1, 0].set_ylabel("performance")
    axes[1, -1].legend(loc="lower right")
    return fig
