"""Hill numbers and coverage that a sample would have at another size, and those of its source.

The estimators of Chao et al. (2014), in terms of f(x): how many elements occur x times. Hill
numbers of order q are $(1 + (1 - q) H)^{1 / (1 - q)}$ of Tsallis's entropy H, which is what is
averaged and estimated here, since it loses no digits near q = 1.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Num

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.gammas import log_choose_ratio, log_gamma_rate
from lcrjax.numerics.groupings import Segments
from lcrjax.numerics.whole_numbers import check_seed, is_whole

# Nodes of a double exponential rule for integrals over (0, inf) of what falls as exp(-s).
_T = np.arange(-4.5, 4.51, 0.04)
_NODES = np.exp(_T - np.exp(-_T))
_WEIGHTS = 0.04 * _NODES * (1 + np.exp(-_T)) * np.exp(-_NODES)


def whole_numbers(table: Any) -> Int[np.ndarray, "S C"]:
    """Take counts of individuals for what they are.

    Raises:
        ValueError: If one is no whole number, or they are traced.
    """
    if not at_hand(table):
        raise ValueError("counts are traced: draw from a dataset outside of jit, vmap and grad")
    numbers = np.asarray(table, np.float64)
    bad = np.argwhere(numbers != np.rint(numbers))
    if len(bad):
        raise ValueError(
            f"a count is {numbers[tuple(bad[0])]:g}: individuals are drawn, so give whole numbers"
        )
    return numbers.astype(np.int64)


def check_resampling(count: int, level: float, seed: int, least: int = 2) -> None:
    """Check what says how often to draw and how wide an interval is.

    Raises:
        ValueError: If there are fewer than the least, the level is not between 0 and 1, or the
            seed is none.
    """
    if not is_whole(count) or count < least or count == 1:
        raise ValueError(f"there are {count!r} resamples: give at least two")
    if not 0 < level < 1:
        raise ValueError(f"the level is {level:g}: give one between 0 and 1, such as 0.95")
    check_seed(seed)


class Sample:
    """n individuals of some elements.

    Attributes:
        counts: Counts that occur, K of them, ascending.
        times: How many elements have each.
        size: n.
        once, twice: How many elements occur once and twice.
    """

    def __init__(self, counts: Int[np.ndarray, " S"]) -> None:
        self.counts, times = np.unique(counts[counts > 0], return_counts=True)
        self.times = times.astype(np.float64)
        self.size = int(counts.sum())
        self.once, self.twice = (int(np.count_nonzero(counts == x)) for x in (1, 2))

    @property
    def shares(self) -> Float[np.ndarray, " K"]:
        """X / n."""
        return self.counts / self.size

    @property
    def _gap(self) -> float:
        """Mean share of those that occur once, in units of what all but one draw would see.

        A of Chao & Jost (2015): a draw more is of a new element with chance (1 - A) f(1) / n.
        """
        f1, f2, n = self.once, self.twice, self.size
        if f2:
            return 2 * f2 / ((n - 1) * f1 + 2 * f2)
        return 2 / ((n - 1) * (f1 - 1) + 2) if f1 else 1.0

    @property
    def unseen(self) -> float:
        """How many elements of the source the sample lacks, at least (Chao1)."""
        return self.once / self.size * (1 - self._gap) / self._gap

    def coverage(self, size: float | int) -> float:
        """Share of the source that belongs to elements that a sample of a size would have seen.

        Chao & Jost (2012). A size between two whole ones lies on the line between these.
        """
        n, whole = self.size, math.floor(size)
        if size >= n:
            return 1 - self.once / n * (1 - self._gap) ** (size - n + 1)
        low, high = self._coverages(np.array([whole, whole + 1]))
        return float(low + (size - whole) * (high - low))

    def _coverages(self, sizes: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Those of whole sizes up to n."""
        rest = self.size - self.counts[None, :]
        missed = np.exp(log_choose_ratio(rest, self.size - 1.0, sizes[:, None]))
        found = 1 - missed @ (self.times * self.shares)
        return np.where(sizes < self.size, found, self.coverage(self.size))

    def size_of(self, coverage: float | int) -> float:
        """The size of a sample of that coverage; infinite where none is large enough."""
        n = self.size
        if coverage >= self.coverage(n):
            if not self.once or self._gap == 1:
                return float(n) if coverage <= 1 else np.inf
            if coverage >= 1:
                return np.inf
            return n - 1 + math.log((1 - coverage) * n / self.once) / math.log1p(-self._gap)
        low, high = 0, n
        while True:
            sizes = np.unique(np.linspace(low, high, 18).astype(np.int64))
            found = self._coverages(sizes)
            i = int(np.searchsorted(found, coverage, side="right"))
            low, high = int(sizes[i - 1]), int(sizes[i])
            if high - low == 1:
                return low + (coverage - found[i - 1]) / (found[i] - found[i - 1])

    def hill(self, size: float | int, orders: Num[np.ndarray, " Q"]) -> Float[np.ndarray, " Q"]:
        """Hill numbers of samples of a size, smaller or larger than this one.

        Those of smaller samples are exact means, of all subsets of that size, of the sum of powers
        of shares. A size between two whole ones lies on the line between these.

        Args:
            size: At least 1.
            orders: Finite viewpoints.
        """
        if size >= self.size:
            return np.array([self._extrapolated(size, q) for q in orders])
        whole = math.floor(size)
        low = self._rarefied(whole, orders)
        if whole == size:
            return low
        return low + (size - whole) * (self._rarefied(whole + 1, orders) - low)

    def _rarefied(self, m: int, orders: Num[np.ndarray, " Q"]) -> Float[np.ndarray, " Q"]:
        if m == self.size:
            return np.array([self._own(q) for q in orders])
        drawn, chances, elements = self._drawn(m)
        return np.array(
            [_hill(float(self.times @ elements.sum(chances * _term(drawn / m, q))), q)
             for q in orders]
        )  # fmt: skip

    def _own(self, q: Any) -> float:
        return _hill(float(self.times @ _term(self.shares, q)), q)

    def _drawn(self, m: int) -> tuple[np.ndarray, np.ndarray, Segments]:
        """How often each element is drawn in m of n, and how likely that is: hypergeometric.

        All but 1e-15 of it: from each mode up and down by the ratios of neighbours.
        """
        n, x = self.size, self.counts.astype(np.float64)
        mean = m * self.shares
        width = np.ceil(9 * np.sqrt(mean * (1 - self.shares) * (n - m) / max(n - 1, 1)) + 60)
        first = np.maximum(np.maximum(0, m - (n - x)), np.floor(mean - width))
        last = np.minimum(np.minimum(x, m), np.ceil(mean + width))
        lengths = (last - first + 1).astype(np.int64)
        elements = Segments(lengths)
        start = np.cumsum(lengths) - lengths
        drawn = np.arange(lengths.sum()) - elements.spread(start) + elements.spread(first)
        whole, before = elements.spread(x), np.maximum(drawn - 1, 0)
        with np.errstate(all="ignore"):  # the first of each has none before it
            ratio = (whole - before) * (m - before) / (drawn * (n - whole - m + drawn))
            steps = np.log(ratio)
        steps[start] = 0
        logs = np.cumsum(steps)
        chances = np.exp(logs - elements.spread(elements.largest(logs)))
        return drawn, chances / elements.spread(elements.sum(chances)), elements

    def source_hill(self, q: Any) -> float:
        """Hill number of the source (Chao & Jost 2015); infinite where the sample cannot say."""
        n, x, a = self.size, self.counts.astype(np.float64), self._gap
        k = float(q) - 1
        if k >= n:
            return np.inf
        # (x)_q / (n)_q of falling factorials is what shares to the q are in expectation.
        raised = max(0, math.floor(k))  # keeps arguments of gamma functions above zero
        factors = np.ones(len(x))
        for j in range(1, raised + 1):
            factors = factors * (x + j - q) / (x + j - 1)
        rates = log_gamma_rate(x + raised, k) - log_gamma_rate(np.array([n]), k)
        if raised:
            powers = (factors * np.exp(k * rates) - 1) / -k
        else:
            powers = -rates * _expm1_rate(k * rates)
        seen = float(np.sum(self.times * self.shares * powers))
        if not self.once or a == 1:
            return _hill(seen, q)
        z = (1 - a) / a
        integral = float(_WEIGHTS @ (1 - z * np.expm1(-_NODES / n)) ** -q)
        weight = math.exp(-k * float(log_gamma_rate(np.array([n]), k)[0]))
        missed = self.once / n**2 * z * integral * weight * _reciprocal_gamma(1 - k)
        return _hill(seen + missed, q)

    def _extrapolated(self, size: float | int, q: Any) -> float:
        n, more = self.size, size - self.size
        if not more:
            return self._own(q)
        if q == 2:
            pairs = float(np.sum(self.times * self.shares * (self.counts - 1))) / max(n - 1, 1)
            return 1 / (1 / size + (1 - 1 / size) * pairs)
        own, source = self._own(q), self.source_hill(q)
        before = float(self._rarefied(n - 1, np.array([q]))[0]) if n > 1 else 0.0
        last, rest = own - before, source - before  # what the last of n added, and all to come
        if not last > 0 or not rest > last:
            return own
        grown = more * last
        if rest < np.inf:
            grown = (rest - last) * -math.expm1(more * math.log1p(-last / rest))
        return own + grown

    def community(self, counts: Int[np.ndarray, " S"]) -> Float[np.ndarray, " T"]:
        """Shares of a source that the sample may be of, unseen elements included, to draw from.

        Chao et al. (2014), appendix G: shares of those seen shrink to the sample's coverage, most
        those of the rare; the rest is spread over as many elements as are estimated unseen.
        """
        p = counts / self.size
        deficit = 1 - self.coverage(self.size)
        absent = (1 - p) ** self.size
        spread = float(p @ absent)
        shrunk = p * (1 - deficit / spread * absent) if spread else p
        extra = math.ceil(self.unseen - 1e-9)
        whole = np.concatenate([shrunk, np.full(extra, deficit / max(extra, 1))])
        return whole / whole.sum()


def _term(p: Float[np.ndarray, " N"], q: Any) -> Float[np.ndarray, " N"]:
    """Summand of Tsallis's entropy, `(p - p^q) / (q - 1)`, or `-p log p`."""
    logs = np.log(np.where(p > 0, p, 1))
    return np.where(p > 0, -p * logs * _expm1_rate((q - 1) * logs), 0)


def _hill(entropy: float, q: Any) -> float:
    """Hill number of Tsallis's entropy; infinite where no shares have so large a one."""
    x = (1 - q) * entropy
    if x <= -1:
        return np.inf
    return math.exp(entropy * (math.log1p(x) / x if x else 1.0))


def _expm1_rate(x: Float[np.ndarray, "*m"]) -> Float[np.ndarray, "*m"]:
    """`expm1(x) / x`, one at zero."""
    safe = np.where(x == 0, 1, x)
    return np.where(x == 0, 1, np.expm1(safe) / safe)


def _reciprocal_gamma(x: Any) -> float:
    return 0.0 if x <= 0 and x == int(x) else 1 / math.gamma(x)
