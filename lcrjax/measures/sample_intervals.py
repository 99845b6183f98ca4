"""Intervals of the family of a dataset of which some elements are known: those of a sample.

Within a stratum the mean of m of N elements, drawn without replacement, has variance
(1 - m/N) s²/m. Where strata are of candidates, themselves a sample of each class, the mean of all
candidates has such a variance, too, and both add up (two-phase sampling). Logs of power means
follow by the delta method, class by class, and those of the dataset from its classes. Intervals are
Student's, with Satterthwaite's degrees of freedom and Hall's transformation for skewness, which is
that of a finite population here.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lcrjax.measures.family import MEASURES, ClassLogs, Family
from lcrjax.measures.result_tables import Table, family_table
from lcrjax.measures.strata import Sample
from lcrjax.numerics.groupings import AnyArray, Segments
from lcrjax.numerics.power_means import log_of

# Which of alpha, rho and gamma a measure is a function of, and whether it grows with it.
_PART = np.array([0 if "alpha" in name else 2 if name == "gamma" else 1 for name in MEASURES])
_SIGN = np.array([-1 if "beta" in name else 1 for name in MEASURES])[:, None, None]
_SIGNED = np.array([measure.signed for measure in MEASURES.values()])[:, None, None]
_LOGS = [list(MEASURES).index(name) for name in ClassLogs._fields[:3]]


class Spread(NamedTuple):
    """Sampling moments of estimates."""

    variance: Float[np.ndarray, "..."]
    third: Float[np.ndarray, "..."]  # central moment
    shift: Float[np.ndarray, "..."]  # covariance with the estimated variance
    fourth: Float[np.ndarray, "..."]  # squared variances of strata over their degrees of freedom

    def times(self, slope: Float[np.ndarray, "..."]) -> "Spread":
        """Moments of multiples."""
        return Spread(*(x * slope**k for x, k in zip(self, (2, 3, 3, 4), strict=True)))

    def ends(self, level: float) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """What lies between the estimate and the ends of an interval for the truth.

        References:
            Hall (1992), On the removal of skewness by transformation.
        """
        from scipy.special import stdtrit

        known = self.variance > 0
        variance = np.where(known, self.variance, 1)
        freedom = variance**2 / np.where(known & (self.fourth > 0), self.fourth, variance**2 / 1e9)
        t = stdtrit(np.maximum(freedom, 1), (1 + level) / 2)
        skew, shift = (x / variance**1.5 for x in (self.third, self.shift))
        a = np.where(known, (3 * shift - skew) / 6, 0)
        b = np.where(known, shift / 2, 0) - a
        bend = np.where(abs(a) < 1e-6, 1e-6, a)
        straight = [(np.cbrt(1 + 3 * bend * (x - b)) - 1) / bend for x in (t, -t)]
        high, low = (np.sqrt(self.variance) * x for x in straight)
        return np.minimum(-high, 0), np.maximum(-low, 0)


def sample_intervals(
    sample: Sample,
    items: Float[np.ndarray, "3 m"],
    found: Family,
    q: Float[np.ndarray, " Q"],
    level: float = 0.95,
) -> tuple[Table, Table, Table]:
    """Standard errors, and the ends of intervals, of the family that a sample gives.

    At q = inf, where means are extremes, there is no standard error, and an interval is what is
    certain: alpha, rho and gamma are at most the sample's, the betas at least.

    Args:
        sample: The sample.
        items: Logs of what alpha, rho and gamma are means of, for each of its rows.
        found: Its family.
        q: Viewpoints in [0, inf].
        level: Confidence level.

    Returns:
        Tables of logs, of numbers where they are signed.
    """
    order = 1 - np.asarray(q, np.float64)[:, None]
    extreme = np.isinf(order)
    r = np.where(extreme, 0, order)
    sizes = sample.population.astype(np.float64)
    whole = sizes == sample.in_class
    logs = found.class_entropies[_LOGS]
    with np.errstate(all="ignore"):
        spread = _spread_of_classes(sample, items, np.where(extreme, 0, logs), r)
        low, high = (logs + _log1p_over(r, change) for change in spread.ends(level))
        low = np.where(extreme, np.where(whole, logs, -np.inf), low)
        ends = [measures_of_logs(end, sizes) for end in (low, np.where(extreme, logs, high))]
        classes = np.minimum(*ends), np.maximum(*ends)

        # What a class's number, or log, changes with the log of alpha, rho or gamma, and the
        # dataset's with that.
        rise = found.class_numbers + (1 / (len(sizes) - 1) if len(sizes) > 1 else 0)
        rise = np.where(_SIGNED, rise, 1) * _SIGN
        ratio = found.class_numbers / found.dataset_numbers[..., None]
        slope = sizes / sizes.sum() * ratio ** np.where(_SIGNED, r - 1, r) * rise
        each = Spread(*(x[_PART] for x in spread))
        signed, bound = _SIGNED[..., 0], extreme[:, 0]
        joint = Spread(*(x.sum(axis=-1) for x in each.times(slope)))
        centre = np.where(signed, found.dataset_numbers, found.dataset_entropies)
        dataset = [
            centre + np.where(signed, change, _log1p_over(r[:, 0], change))
            for change in joint.ends(level)
        ]
        dataset = [
            np.where(bound, least.min(axis=-1), x)
            for least, x in zip(classes, dataset, strict=True)
        ]
        error = np.where(extreme & ~whole, np.nan, np.sqrt(each.variance) * abs(rise))
        errors = np.where(bound, error.max(axis=-1), np.sqrt(joint.variance))
        balance = np.log(found.class_balance)
    lower, upper = (family_table(x, y, balance) for x, y in zip(classes, dataset, strict=True))
    return family_table(error, errors, 0), lower, upper


def _spread_of_classes(
    sample: Sample,
    items: Float[np.ndarray, "3 m"],
    logs: Float[np.ndarray, "3 Q C"],
    r: Float[np.ndarray, "Q 1"],
) -> Spread:
    """Moments of logs of power means: those of means of (exp(r d) - 1) / r, d an item over its."""
    strata, classes, m = Segments(sample.taken), Segments(sample.strata), sample.taken
    d = items[:, None, :] - Segments(sample.in_class).spread(logs)
    score = np.where(r == 0, d, np.expm1(r * d) / r)
    apart = score - strata.spread(strata.sum(score) / m)
    freedom = np.maximum(m - 1, 1)
    second = strata.sum(apart**2) / freedom
    third = strata.sum(apart**3) * m / (freedom * np.maximum(m - 2, 1))
    share = sample.sizes / classes.spread(classes.sum(sample.sizes))
    left = 1 - m / sample.sizes
    variance = share**2 * left * second / m
    skew = share**3 * third / m**2
    parts = (variance, left * (2 * left - 1) * skew, left**2 * skew, variance**2 / freedom)
    found = Spread(*(classes.sum(x) for x in parts))
    return Spread(
        *(x + y for x, y in zip(found, _of_candidates(sample, score, found), strict=True))
    )


def _of_candidates(
    sample: Sample, score: Float[np.ndarray, "3 Q m"], known: Spread
) -> Iterator[Float[np.ndarray, "3 Q C"]]:
    """Moments of the means of candidates, of which rows tell their mean to within those known."""
    of_rows, count = Segments(sample.in_class), sample.candidates
    share = sample.weights / of_rows.spread(sample.population)
    left = 1 - count / sample.population
    second = (of_rows.sum(share * score**2) + known.variance) * count / np.maximum(count - 1, 1)
    variance, skew = left * second / count, of_rows.sum(share * score**3) / count**2
    yield variance
    yield left * (2 * left - 1) * skew
    yield left**2 * skew
    yield variance**2 / np.maximum(sample.in_class - 1, 1)


def _log1p_over(r: Float[np.ndarray, "..."], x: Float[np.ndarray, "..."]) -> AnyArray:
    """`log(1 + r x) / r`, x at zero: what a mean's change is of the log of a power mean."""
    return np.where(r == 0, x, log_of(np.maximum(1 + r * x, 0)) / r)


def measures_of_logs(logs: Float[np.ndarray, "3 Q C"], sizes: Float[np.ndarray, " C"]) -> AnyArray:
    """Every measure of classes whose alpha, rho and gamma have these logs; signed, the number."""
    weights = np.log(sizes / sizes.sum())[None, :]
    alpha, rho, gamma = logs
    parts = ClassLogs(alpha, rho, gamma, weights, np.full_like(weights, len(sizes)))
    return np.stack([measure.formula(parts) for measure in MEASURES.values()])
