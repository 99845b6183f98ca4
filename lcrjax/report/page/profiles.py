"""Charts of a dataset's page: diversity profiles, and distances to nearest images."""

import math
from typing import Any

import numpy as np

from lcrjax.measures.result import Diversity
from lcrjax.report.figures.profiles import place
from lcrjax.report.figures.style import class_colours
from lcrjax.report.page.charts import (
    Chart,
    Line,
    Tick,
    nice_ticks,
    polyline,
    value_axis,
    x_of,
    y_of,
)
from lcrjax.report.page.measured import Measured

#: Panels: measure, letter, and what the vertical axis counts.
PANELS = (
    ("alpha", "A", "effective image–class pairs"),
    ("normalized_rho", "R", "representativeness"),
    ("gamma", "G", "effective images"),
)
_Q_TICKS = {0.0: "0", 1.0: "1", 2.0: "2", 5.0: "5", 20.0: "20", math.inf: "∞"}
_BINS = 48


def profile_charts(diversity: Diversity, shown: list[int]) -> list[dict[str, Any]]:
    """Lay out A, R and G against the viewpoint, of the dataset and of classes.

    Args:
        diversity: At viewpoints in ascending order.
        shown: Classes that get a line.

    Returns:
        For each measure its letter, unit and `chart`.
    """
    q = np.asarray(diversity.q, np.float64)
    x = place(q)
    colours = list(class_colours(diversity.class_names).values())
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
        marks = tuple(Tick(x_of(float(place(np.array(o)))), text) for o, text in _Q_TICKS.items())
        panels.append({"letter": letter, "unit": unit, "chart": Chart(tuple(lines), marks, ticks)})
    return panels


def profile_data(diversity: Diversity, shown: list[int]) -> dict[str, Any]:
    """Give the numbers behind the profiles, for the pointer to read off."""
    names = [diversity.class_names[c] for c in shown] + ["dataset"]
    orders = np.asarray(diversity.q, np.float64)
    values = {}
    for measure, letter, _ in PANELS:
        each = np.asarray(diversity.class_level[measure], np.float64)[:, shown]
        whole = np.asarray(diversity.dataset_level[measure], np.float64)[:, None]
        values[letter] = [
            [float(f"{v:.4g}") for v in column] for column in np.hstack([each, whole]).T
        ]
    return {
        "x": [x_of(float(p)) for p in place(orders)],
        "q": ["∞" if math.isinf(o) else f"{o:.3g}" for o in orders],
        "names": names,
        "values": values,
    }


def distance_chart(measured: Measured) -> Chart | None:
    """Lay out the distances of images to their nearest training image, train and test.

    Returns:
        Two lines, densities over RMSD, and the threshold of near-duplicates as mark; None where
        no two images are apart.
    """
    parts = [r[np.isfinite(r)] for r in (measured.train_rmsd, measured.test_rmsd)]
    both = np.concatenate(parts)
    if not len(both) or both.max() <= 0:
        return None
    limit = float(np.quantile(both, 0.995)) or float(both.max())
    edges = np.linspace(0, limit, _BINS + 1)
    shares = [np.histogram(part, edges)[0] / max(1, len(part)) for part in parts]
    highest = max(float(s.max()) for s in shares) * 1.06 or 1.0
    middle = (edges[:-1] + edges[1:]) / 2 / limit
    names = ("training image to the nearest other one", "test image to the nearest training image")
    lines = tuple(
        Line(name, polyline(middle, share / highest), colour, 0)
        for name, share, colour in zip(names, shares, ("#0072B2", "#D55E00"), strict=True)
    )
    x_ticks = tuple(Tick(x_of(t / limit), f"{t:.3g}") for t in nice_ticks(0, limit))
    y_ticks = tuple(Tick(y_of(t / highest), f"{100 * t:.3g} %") for t in nice_ticks(0, highest, 3))
    mark = x_of(min(1.0, measured.nearness.threshold / limit))
    return Chart(lines, x_ticks, y_ticks, mark)
