"""Style of all figures: colours that colour-blind readers tell apart, fonts, panel letters."""

import functools
import io
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias, TypeVar

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure, FigureBase

#: A figure; where axes were given, the part of theirs that took their place.
Drawn: TypeAlias = Figure | Any
P = ParamSpec("P")
T = TypeVar("T")

#: Okabe and Ito's palette without yellow, which vanishes on paper, and black, which is for text.
#: What was too light is darkened to three times the contrast of paper (WCAG), with orange and red
#: kept apart; grey and indigo are added.
PALETTE = ("#0072B2", "#D67D00", "#009E73", "#CC79A7", "#3C93FF", "#BF4800", "#595959", "#332288")
GREY = "#666666"
#: Colours of features, by their `lcrjax.report.names.family`.
FAMILY_COLOURS = {"alpha": PALETTE[0], "usual": PALETTE[1], "other": "#7F7F7F"}
RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "none",
    "svg.hashsalt": "lcrjax",
}


class Shown(Figure):
    """A figure that a notebook shows as a picture, with or without matplotlib's own support."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=110)
        return stream.getvalue()


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw under the report's settings and leave the caller's matplotlib as it was.

    Raises:
        ValueError: If `ax` is given, and is no axes in a grid.
    """

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        check_place(kwargs.get("ax"))
        with mpl.rc_context(RC):
            return draw(*args, **kwargs)

    return wrapper


def check_place(ax: Any) -> None:
    """Refuse what is no axes in a grid, before long work."""
    if ax is None:
        return
    if not isinstance(ax, Axes):
        raise ValueError(f"ax is {type(ax).__name__}: give one axes, whose place all panels take")
    if ax.get_subplotspec() is None:
        raise ValueError("ax is in no grid of its figure: make it with pyplot.subplots")


def canvas(width: float, height: float, ax: Axes | None) -> FigureBase:
    """Where to draw: a figure of so many inches, or the part of a figure that axes had.

    The axes are removed. Their figure gets a constrained layout unless it has a layout.
    """
    if ax is None:
        return Shown(figsize=(width, height), layout="constrained")
    place, part = ax.get_subplotspec(), ax.figure
    assert place is not None  # `styled` has checked
    if part.figure.get_layout_engine() is None:
        part.figure.set_layout_engine("constrained")
    ax.remove()
    taken = part.add_subfigure(place)
    vars(taken)["_ipython_display_"] = _show_nothing
    return taken


def _show_nothing() -> None:
    """As the last word of a notebook's cell: the cell shows the whole figure."""


def dataset_colours(table: pd.DataFrame) -> dict[str, str]:
    """One colour per dataset, in alphabetical order, so that it is the same in every figure."""
    names = sorted(table["dataset"].astype(str).unique())
    return class_colours(names)


def class_colours(class_names: Sequence[str]) -> dict[str, str]:
    """One colour per class, by its place among the classes: the same in every figure of a dataset.

    Eight colours are told apart by everybody. Further classes get darker, then lighter ones of the
    same hues, so a figure of many classes says in another way, too, which is which.
    """
    shades = [PALETTE, *([_shade(c, towards) for c in PALETTE] for towards in (0.0, 1.0))]
    colours = [colour for palette in shades for colour in palette]
    return {name: colours[i % len(colours)] for i, name in enumerate(class_names)}


def _shade(colour: str, towards: float) -> str:
    red, green, blue = ((x + towards) / 2 for x in to_rgb(colour))
    return to_hex((red, green, blue))


def tint(colour: str, strength: float) -> tuple[float, float, float]:
    """Mix a colour with white; `strength` 1 is the colour itself."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def panel_letter(ax: Axes, letter: str) -> None:
    """Put a bold letter above a panel's upper left corner."""
    ax.annotate(
        letter, (0, 1), xycoords="axes fraction", xytext=(-6, 6), textcoords="offset points",
        ha="right", va="bottom", fontweight="bold", fontsize=10,
    )  # fmt: skip
