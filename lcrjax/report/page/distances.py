"""The chart of images' distances to their nearest training image, for a dataset's page."""

import numpy as np

from lcrjax.report.page.measured import Measured
from lcrjax.report.page.svg_axes import Chart, Line, Tick, polyline, ticks_within, x_of, y_of

_BINS = 48


def distance_chart(measured: Measured, one: str = "image") -> Chart | None:
    """Lay out the distances of images to their nearest training image, train and test.

    Args:
        measured: The distances.
        one: What an element is called.

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
    shares = [np.histogram(part, edges)[0] / len(part) for part in parts if len(part)]
    highest = max(float(s.max()) for s in shares) * 1.06 or 1.0
    middle = (edges[:-1] + edges[1:]) / 2 / limit
    names = (
        f"training {one} to the nearest other one",
        f"test {one} to the nearest training {one}",
    )
    lines = tuple(
        Line(name, polyline(middle, share / highest), colour, 0)
        for name, share, colour in zip(names, shares, ("#0072B2", "#D55E00"), strict=False)
    )
    x_ticks = tuple(Tick(x_of(t / limit), f"{t:.3g}") for t in ticks_within(0.0, limit))
    y_ticks = tuple(
        Tick(y_of(t / highest), f"{100 * t:.3g} %") for t in ticks_within(0.0, highest, 3)
    )
    mark = x_of(min(1.0, measured.threshold / limit))
    return Chart(lines, x_ticks, y_ticks, mark)
