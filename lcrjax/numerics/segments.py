"""Weighted power means within segments of numbers that are at hand, in NumPy's doubles.

The same means as `power_mean`, for callers whose numbers are not traced: nothing has to compile,
and where the results are float32, doubles have the digits that pairs of floats have elsewhere.
"""

import numpy as np
from jaxtyping import Float, Int

_REACH = 0.34  # of |order * log item| around the mean, up to which sums of expm1 keep the digits
_UNLIMITED = 1e16  # beyond this order the extremes' weight no longer shows in the last digit
_LOWEST, _HIGHEST = -745.0, 709.0  # what exp takes without under- or overflow


class Segments:
    """Consecutive runs of the last axis, none of them empty: classes of a dataset, say."""

    def __init__(self, lengths: Int[np.ndarray, " G"]) -> None:
        self.lengths = lengths
        self._starts = np.cumsum(lengths) - lengths

    def sum(self, x: Float[np.ndarray, "*m N"]) -> Float[np.ndarray, "*m G"]:
        """Sum within each segment, pairwise."""
        return np.add.reduceat(x, self._starts, axis=-1)

    def largest(self, x: Float[np.ndarray, "*m N"]) -> Float[np.ndarray, "*m G"]:
        """Maximum within each segment."""
        return np.maximum.reduceat(x, self._starts, axis=-1)

    def least(self, x: Float[np.ndarray, "*m N"]) -> Float[np.ndarray, "*m G"]:
        """Minimum within each segment."""
        return np.minimum.reduceat(x, self._starts, axis=-1)

    def spread(self, x: Float[np.ndarray, "*m G"]) -> Float[np.ndarray, "*m N"]:
        """Give each member its segment's number."""
        return np.repeat(x, self.lengths, axis=-1)


class LogMeans:
    """Logs of the power means of items within segments, at one order after another.

    Weights are positive and need not sum to one. Items may be zero or infinite; NaN spreads.
    """

    def __init__(
        self,
        weights: Float[np.ndarray, " N"],
        logs: Float[np.ndarray, "m N"],
        segments: Segments,
    ) -> None:
        """Take natural logs of the items, m rows of them, and one weight for each column."""
        self._segments, self._weights, self._logs = segments, weights, logs
        self.mass = segments.sum(weights)
        self._proper = np.isfinite(logs)
        self._all_proper = bool(self._proper.all())
        finite = logs if self._all_proper else np.where(self._proper, logs, 0)
        self._log_weights = np.log(weights)
        self._centre = segments.sum(weights * finite) / self.mass
        self._distance = finite - segments.spread(self._centre)
        self._reach = segments.largest(np.where(self._proper, np.abs(self._distance), 0))

    def at(self, order: float) -> Float[np.ndarray, "m G"]:
        """Take the means of an order, any real number or +-inf."""
        if abs(order) > _UNLIMITED:
            extreme = self._segments.largest if order > 0 else self._segments.least
            return extreme(self._logs)
        close = np.abs(order) * self._reach <= _REACH
        if self._all_proper and close.all():
            return self._centre + self._rise(order)
        with np.errstate(all="ignore"):
            means = np.where(close, self._centre + self._rise(order), self._led(order))
        return means if self._all_proper else self._overruled(order, means)

    def _rise(self, order: float) -> Float[np.ndarray, "m G"]:
        """By how much the mean exceeds the mean log, where all items lie close to that."""
        grown = np.expm1(order * self._distance) if order else self._distance
        rise = self._segments.sum(self._weights * grown) / self.mass
        return np.log1p(rise) / order if order else rise

    def _led(self, order: float) -> Float[np.ndarray, "m G"]:
        """The mean from its largest term on, where items are far apart."""
        finite = np.where(self._proper, self._logs, 0)
        heights = np.where(self._proper, order * finite + self._log_weights, -np.inf)
        leads = heights == self._segments.spread(self._segments.largest(heights))
        leader = self._segments.largest(np.where(leads & self._proper, finite, -np.inf))
        leader = np.where(np.isfinite(leader), leader, 0)
        powers = order * (finite - self._segments.spread(leader))
        grown = np.where(self._proper, np.exp(np.clip(powers, _LOWEST, _HIGHEST)), 0)
        share = self._segments.sum(self._weights * grown) / self.mass
        return leader + np.log(share) / (order or 1)

    def _overruled(self, order: float, means: Float[np.ndarray, "m G"]) -> Float[np.ndarray, "m G"]:
        """Let items of zero and infinity rule on their side of order zero, and NaN everywhere."""
        top, bottom = self._segments.largest(self._logs), self._segments.least(self._logs)
        zeros, infinities = bottom == -np.inf, top == np.inf
        nothing_else = ~(self._segments.largest(self._proper * 1.0) > 0)
        none = zeros & ((order <= 0) | (nothing_else & ~infinities))
        all_of_it = infinities & ((order >= 0) | (nothing_else & ~zeros))
        undefined = (none & all_of_it) | np.isnan(top)
        means = np.where(none, -np.inf, np.where(all_of_it, np.inf, means))
        return np.where(undefined, np.nan, means)
