"""All figures of a study, drawn and written."""

import logging
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lcrjax.report.figures.bars import ranking_figure
from lcrjax.report.figures.boxes import alpha_figure, class_balance_figure, size_figure
from lcrjax.report.figures.heatmap import correlation_figure
from lcrjax.report.figures.style import styled

_log = logging.getLogger(__name__)

#: File name, and the function that draws the figure from a study's table.
FIGURES: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "fig3a-class-balance": class_balance_figure,
    "fig3b-size": size_figure,
    "fig3c-alpha": alpha_figure,
    "fig4-rankings": ranking_figure,
    "fig5-correlations": correlation_figure,
}


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
    for name, draw in FIGURES.items():
        try:
            figure = draw(table)
        except ValueError as error:
            _log.warning("%s is left out: %s", name, error)
            continue
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once is enough for every format
        for suffix in suffixes:
            path = directory / f"{name}{suffix}"
            figure.savefig(path, dpi=200, metadata={"Date": None} if suffix == ".svg" else None)
            written.append(path)
    return written
