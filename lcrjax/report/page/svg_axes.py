"""Axes and lines in SVG coordinates, for the charts of a dataset's page."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator

#: Size of a chart's drawing area and the room around it, in the drawing's units.
WIDTH, HEIGHT = 300, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 34


@dataclasses.dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        name: What it is of.
        points: As SVG writes a polyline.
        colour: Of a class; empty for the dataset's own.
        dash: Number of the dash pattern: colours come back after eight classes.
    """

    name: str
    points: str
    colour: str
    dash: int


@dataclasses.dataclass(frozen=True)
class Chart:
    """A chart with its axes.

    Attributes:
        lines: What is drawn.
        x_ticks: Marks of the horizontal axis.
        y_ticks: Marks of the vertical axis.
        mark: A place on the horizontal axis that is singled out.
        band: The outline of an area behind the lines, as SVG writes a polygon.
    """

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    mark: float | None = None
    band: str = ""

    width: int = LEFT + WIDTH + RIGHT
    height: int = TOP + HEIGHT + BOTTOM


def x_of(share: float) -> float:
    """Place on the horizontal axis, of a share from 0 at the left to 1 at the right."""
    return round(LEFT + WIDTH * share, 2)


def y_of(share: float) -> float:
    """Place on the vertical axis, of a share from 0 at the bottom to 1 at the top."""
    return round(TOP + HEIGHT * (1 - share), 2)


def polyline(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> str:
    """Write a line through points given as shares of the axes."""
    return " ".join(f"{x_of(a):g},{y_of(b):g}" for a, b in zip(x, y, strict=True))


def ticks_within(low: float, high: float, count: int = 6) -> list[float]:
    """Choose round numbers within a range, about `count` of them, but two at least."""
    places = MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(t) for t in places if low <= t <= high]


def value_axis(values: Sequence[np.ndarray]) -> tuple[float, float, tuple[Tick, ...]]:
    """Choose the range of a vertical axis and its ticks: all finite values and some air."""
    known = np.concatenate([np.ravel(v) for v in values])
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    air = 0.06 * (high - low) or 0.05 * max(abs(high), 1e-3)
    low, high = low - air, high + air
    ticks = ticks_within(low, high)
    return low, high, tuple(Tick(y_of((t - low) / (high - low)), f"{t:.6g}") for t in ticks)
