"""The figures of a study: a table of what is drawn, for files and for the study's page."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from lcrjax.numerics.progress import each
from lcrjax.report.figures.bars import ranking_figure
from lcrjax.report.figures.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.figures.correlation_matrix import correlation_figure
from lcrjax.report.figures.style import styled

_log = logging.getLogger(__name__)

#: Dots to the inch of a figure's file.
DPI = 200


class StudyFigure(NamedTuple):
    """A figure of a study.

    Attributes:
        name: Of its files, without a suffix.
        draw: Draws it from a study's table; a ValueError says why it cannot.
        caption: What stands above it on a page, and what a reader who does not see it is told.
        intervals: What the caption adds where the table has enough rows for intervals.
    """

    name: str
    draw: Callable[[pd.DataFrame], Figure]
    caption: str
    intervals: str = ""

    def told(self, intervals: bool) -> str:
        """The whole caption, of a table with intervals or without."""
        return f"{self.caption} {self.intervals}".strip() if intervals else self.caption


#: In the order of the page.
STUDY_FIGURES = (
    StudyFigure(
        "fig3a-class-balance",
        class_balance_figure,
        "Class balance against subset size; dashed, perfect balance.",
    ),
    StudyFigure(
        "fig3b-size",
        size_figure,
        "Performance against subset size; the number is the largest size's median.",
    ),
    StudyFigure(
        "fig3c-alpha",
        alpha_figure,
        "Performance against A₀ over the number of classes, in bins of equal count.",
    ),
    StudyFigure(
        "fig4-rankings",
        ranking_figure,
        "Adjusted R² of single features, pairs, triples and groups.",
        "Lines are bootstrap intervals of 95 %.",
    ),
    StudyFigure(
        "fig5-correlations", correlation_figure, "Squared correlations of the features, clustered."
    ),
)


@styled
def write_figures(
    table: pd.DataFrame, directory: str | Path, *, suffixes: tuple[str, ...] = (".png", ".svg")
) -> list[Path]:
    """Draw the figures of a study and write them.

    A figure that the table cannot support (too few rows, say) is left out, and the reason logged.

    Args:
        table: One row per subset, as `run_study` returns it.
        directory: Where to write; it is made if need be.
        suffixes: Formats.

    Returns:
        The files written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw, *_ in each(STUDY_FIGURES):
        try:
            figure = draw(table)
        except ValueError as error:
            _log.warning("%s is left out: %s", name, error)
            continue
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once is enough for every format
        for suffix in suffixes:
            path = directory / f"{name}{suffix}"
            figure.savefig(path, dpi=DPI, metadata={"Date": None} if suffix == ".svg" else None)
            written.append(path)
    return written
