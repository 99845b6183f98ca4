"""Worth of a selection as it grows, and of random ones beside it, for a selection's page."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lcrjax.pairwise.columns import AT_ONCE, Columns, joined
from lcrjax.pairwise.streamed_pool import pool_of
from lcrjax.report.page.svg_axes import (
    Chart,
    Line,
    Tick,
    polyline,
    ticks_within,
    value_axis,
    x_of,
)
from lcrjax.selection import Selection
from lcrjax.similarity.base import count_elements

#: Random selections: so many, or fewer where more similarities than that would be computed.
DRAWS, FEWEST_DRAWS, MOST_SIMILARITIES = 16, 4, 4e8
#: What is followed, a row each of `Curves`, and what the vertical axis says.
PANELS = ("diversity", "match", "nearness")
#: Share of what the pool holds from which on little is gained.
NEARLY = 0.95
_POINTS = 24


class Curves(NamedTuple):
    """A selection as it grows, and random ones of the same classes.

    Attributes:
        sizes: k sizes, ascending.
        chosen: Diversity, match and nearness of the first so many that were chosen.
        drawn: The same of each random selection.
        near: Similarity of each of the pool's elements to the nearest one chosen or given.
    """

    sizes: Int[np.ndarray, " k"]
    chosen: Float[np.ndarray, "3 k"]
    drawn: Float[np.ndarray, "draws 3 k"]
    near: Float[np.ndarray, " n"]

    def first(self, panel: str, value: float | np.floating) -> int | None:
        """Size from which on the selection has reached a value; None if it never does."""
        (reached,) = np.nonzero(self.chosen[PANELS.index(panel)] >= value)
        return int(self.sizes[reached[0]]) if len(reached) else None


def follow(found: Selection, progress: Callable[[float], None] = lambda share: None) -> Curves:
    r"""Follow a selection, and random ones, from the first element to the last.

    With p for the chosen and given, and u for the pool and given, the diversity is A at q = 1, G
    where no labels are known or elements are given; the match is
    $p'Zu / \sqrt{p'Zp \; u'Zu}$, the cosine of the angle between chosen and pool in the space that
    Z spans: their ordinariness in the pool, times the square root of their own diversity and of
    the pool's at q = 2. The nearness is the mean similarity of the pool's elements to the nearest
    chosen one.

    Args:
        found: What was chosen.
        progress: Told the share that is done.
    """
    n, size = count_elements(found.similarity, found.elements), len(found)
    everything = found.elements if found.given is None else joined(found.elements, found.given)
    pool = pool_of(found.similarity, everything)
    given = np.arange(n, len(pool))
    codes = np.zeros(n, np.int64)
    if found.labels is not None:
        codes = np.unique(found.labels, return_inverse=True)[1]
    classes = codes if found.labels is not None and not len(given) else None
    spread = np.concatenate([np.geomspace(1, size, _POINTS), np.linspace(1, size, _POINTS)])
    sizes = np.unique(np.rint(spread).astype(np.int64))
    own = float(pool.ordinariness(np.full(len(pool), 1 / len(pool))).mean())
    steps = (len(given) + size) * len(pool)
    draws = int(np.clip(MOST_SIMILARITIES / steps, FEWEST_DRAWS, DRAWS))

    def along(order: Int[np.ndarray, " size"]) -> tuple[np.ndarray, np.ndarray]:
        return _along(pool, n, np.concatenate([given, order]), len(given), classes, sizes, own)

    chosen, near = along(found.indices)
    drawn = []
    for draw in range(draws):
        progress(draw / draws)
        drawn.append(along(_random(found.indices, codes, draw))[0])
    return Curves(sizes, chosen, np.stack(drawn), near)


def _random(
    indices: Int[np.ndarray, " size"], codes: Int[np.ndarray, " n"], seed: int
) -> Int[np.ndarray, " size"]:
    """Elements at random, in each place one of the class of that which was chosen."""
    rng, out = np.random.default_rng(seed), np.empty_like(indices)
    for c in np.unique(codes[indices]):
        (places,) = np.nonzero(codes[indices] == c)
        out[places] = rng.permutation(np.flatnonzero(codes == c))[: len(places)]
    return out


def _along(
    pool: Columns,
    n: int,
    order: Int[np.ndarray, " all"],
    n_given: int,
    classes: Int[np.ndarray, " n"] | None,
    sizes: Int[np.ndarray, " k"],
    own: float,
) -> tuple[Float[np.ndarray, "3 k"], Float[np.ndarray, " n"]]:
    near, sums, of_class = np.zeros(n), np.zeros(len(pool)), np.zeros(len(pool))
    out, at = np.empty((len(PANELS), len(sizes))), 0
    for start in range(0, len(order), AT_ONCE):
        some = order[start : start + AT_ONCE]
        for count, (i, column) in enumerate(
            zip(some.tolist(), pool.columns(some), strict=True), start + 1
        ):
            np.maximum(near, column[:n], out=near)
            sums += column
            of_class += column if classes is None else column * (classes == classes[i])
            if count - n_given != sizes[at]:
                continue
            there = order[:count]
            pairs, across = sums[there].mean() / count, sums.mean() / count
            out[:, at] = (
                np.exp(-np.log(of_class[there] / count).mean()),
                across / np.sqrt(pairs * own),
                near.mean(),
            )
            at = min(at + 1, len(sizes) - 1)
    return out, near


def charts(curves: Curves) -> list[Chart]:
    """Lay out the curves against size, with random selections from the lowest to the highest."""
    limit = float(curves.sizes[-1])
    x = curves.sizes / limit
    ticks = [1.0, *ticks_within(limit / 10, limit, 5)] if limit > 1 else [1.0]
    x_ticks = tuple(Tick(x_of(t / limit), f"{t:g}") for t in ticks if t == int(t))
    nearly = curves.first("match", NEARLY)
    out = []
    for panel, (name, chosen) in enumerate(zip(PANELS, curves.chosen, strict=True)):
        drawn = curves.drawn[:, panel]
        low, high, y_ticks = value_axis([chosen, drawn])
        edges = (np.concatenate([drawn.max(axis=0), drawn.min(axis=0)[::-1]]) - low) / (high - low)
        mean = (drawn.mean(axis=0) - low) / (high - low)
        lines = (
            Line("random", polyline(x, mean), "#7F7F7F", 1),
            Line("chosen", polyline(x, (chosen - low) / (high - low)), "#0072B2", 0),
        )
        band = polyline(np.concatenate([x, x[::-1]]), edges)
        mark = x_of(nearly / limit) if nearly and name == "match" else None
        out.append(Chart(lines, x_ticks, y_ticks, mark, band))
    return out
