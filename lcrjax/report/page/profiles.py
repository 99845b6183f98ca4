"""Charts of diversity profiles, for a dataset's page."""

import math
from typing import Any

import numpy as np

from lcrjax.measures.result import Diversity
from lcrjax.report.figures.profiles import VIEWPOINT_TICKS, place
from lcrjax.report.figures.style import class_colours
from lcrjax.report.page.svg_axes import Chart, Line, Tick, polyline, value_axis, x_of

#: Panels: measure, letter, and what the vertical axis counts, of elements called `one`.
PANELS = (
    ("alpha", "A", "effective {one}–class pairs"),
    ("normalized_rho", "R", "representativeness"),
    ("gamma", "G", "effective {one}s"),
)


def profile_charts(
    diversity: Diversity, shown: list[int], one: str = "image"
) -> list[dict[str, Any]]:
    """Lay out A, R and G against the viewpoint, of the dataset and of classes.

    Args:
        diversity: At viewpoints in ascending order.
        shown: Classes that get a line.
        one: What an element is called.

    Returns:
        For each measure its letter, unit and `chart`.
    """
    q = np.asarray(diversity.q, np.float64)
    x = place(q)
    colours = list(class_colours(diversity.class_names).values())
    places = map(float, place(np.array(list(VIEWPOINT_TICKS))))
    marks = tuple(map(Tick, map(x_of, places), VIEWPOINT_TICKS.values()))
    panels = []
    for measure, letter, unit in PANELS:
        each = np.asarray(diversity.class_level[measure], np.float64)[:, shown]
        whole = np.asarray(diversity.dataset_level[measure], np.float64)
        low, high, ticks = value_axis([each, whole])
        scaled = (each - low) / (high - low)
        lines = [
            Line(diversity.class_names[c], polyline(x, scaled[:, k]), colours[c], c // 8 % 3)
            for k, c in enumerate(shown)
        ]
        lines.append(Line("dataset", polyline(x, (whole - low) / (high - low)), "", 0))
        panels.append(
            {
                "letter": letter,
                "unit": unit.format(one=one),
                "chart": Chart(tuple(lines), marks, ticks),
            }
        )
    return panels


def profile_data(diversity: Diversity, shown: list[int]) -> dict[str, Any]:
    """Give the numbers behind the profiles, for the pointer to read off."""
    names = [diversity.class_names[c] for c in shown] + ["dataset"]
    q = np.asarray(diversity.q, np.float64)
    values = {}
    for measure, letter, _ in PANELS:
        each = np.asarray(diversity.class_level[measure], np.float64)[:, shown]
        whole = np.asarray(diversity.dataset_level[measure], np.float64)[:, None]
        values[letter] = [
            [float(f"{v:.4g}") for v in column] for column in np.hstack([each, whole]).T
        ]
    return {
        "x": [x_of(float(p)) for p in place(q)],
        "q": ["∞" if math.isinf(at) else f"{at:.3g}" for at in q],
        "names": names,
        "values": values,
    }
