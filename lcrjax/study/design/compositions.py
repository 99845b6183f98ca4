"""Uniform random compositions of a whole number with capped parts, without rejection."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int


class Compositions:
    """Sampler of the compositions of `total` into positive parts, part j at most `caps[j]`.

    Every composition is equally likely, however tight the caps. Rejecting compositions that
    break a cap gives the same distribution, but may need more attempts than there are seconds:
    with caps that only just suffice hardly any free composition passes. Here the parts are drawn
    one after another from their exact conditional distributions, which need only the *number* of
    ways to complete each remainder: a table of `len(caps) * total` counts.

    Args:
        total: The number to split, at least `len(caps)` and at most `sum(caps)`.
        caps: Largest allowed value of each part, each at least 1.

    Raises:
        ValueError: If no composition exists.
    """

    def __init__(self, total: int, caps: Sequence[int]):
        parts = len(caps)
        if parts == 0 or min(caps) < 1 or not parts <= total <= sum(caps):
            raise ValueError(
                f"{total} has no composition into {parts} positive parts that are at most "
                f"{list(caps)}: give a total between the number of parts and the caps' sum"
            )
        reach = np.minimum(np.asarray(caps, dtype=np.int64), total - parts + 1)
        # Part j -> cap + 1 - part j maps compositions onto those of the mirrored total. In the
        # lower half the counts that matter are not small differences of large cumulative sums.
        self._mirrored = bool(2 * total > reach.sum() + parts)
        self._total = int(reach.sum()) + parts - total if self._mirrored else total
        self._caps = reach
        self._cumulative = self._count()

    def _count(self) -> list[np.ndarray]:
        """Entry j at i counts, up to a factor, the ways to split all r < i into parts j+1 on."""
        ways = np.zeros(self._total + 1)
        ways[0] = 1.0
        sums = np.arange(self._total + 1)
        cumulative: list[np.ndarray] = []
        for cap in self._caps[:0:-1]:
            running = np.concatenate([[0.0], np.cumsum(ways)])
            ways = running[sums] - running[np.maximum(sums - cap, 0)]
            # Only ratios within one table count; without this, many classes overflow.
            ways /= ways.max()
            cumulative.append(np.concatenate([[0.0], np.cumsum(ways)]))
        return cumulative[::-1]

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size m"]:
        """Draw `size` independent compositions, one per row."""
        parts = np.empty((len(self._caps), size), dtype=np.int64)
        rest = np.full(size, self._total)
        for j, cumulative in enumerate(self._cumulative):
            low = cumulative[np.maximum(rest - self._caps[j], 0)]
            high = cumulative[rest]
            target = low + rng.random(size) * (high - low)
            # Rounding may reach `high`, whose remainder leaves nothing for this part.
            target = np.minimum(target, np.nextafter(high, low))
            left = np.searchsorted(cumulative, target, side="right") - 1
            parts[j] = rest - left
            rest = left
        parts[-1] = rest
        if self._mirrored:
            parts = self._caps[:, None] + 1 - parts
        return parts.T
