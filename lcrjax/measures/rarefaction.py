"""Diversity of datasets of different size, brought to a common size or coverage."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.counts import counts_array
from lcrjax.measures.long_form import counted_labels
from lcrjax.measures.samples import Sample, check_resampling, whole_numbers
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.measures.weighing import check_ordinariness, weigh_counted
from lcrjax.numerics.groupings import Runs
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.power_means import log_of, log_power_means
from lcrjax.numerics.tables import row_names
from lcrjax.similarity import Identity

if TYPE_CHECKING:
    import pandas as pd

_LARGEST_ORDER = 100.0  # beyond it the counts of a sample say nothing of its source


def rarefy(
    counts: Any,
    similarity: Any = None,
    *,
    size: Any = None,
    coverage: Any = None,
    q: Any = (0, 1, 2),
    elements: Any = None,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> "pd.DataFrame":
    r"""Compare datasets of different size: their diversity at a common size or sample coverage.

    Every column of the counts is a dataset of its own. A larger one shows more of its source, so
    diversities of samples are compared as they would be at one size, or, better, at one coverage:
    the share of the source that belongs to elements which the sample has seen.

    Without similarity these are the estimators of Chao et al. (2014): exact means over all subsets
    below the size of a sample, estimates up to twice that size above it. Intervals are normal, with
    the standard error of their bootstrap, which draws unseen elements too. With a similarity
    subsets are drawn without replacement and averaged (power mean of order 1 - q, which for the
    identity has Chao's as its limit); standard error and interval are those of one subset of that
    size, given the sample, and the mean of B subsets is known to that over the root of B.

    Args:
        counts: How often each of S elements occurs in each of C datasets, whole numbers >= 0: as
            `lcrjax.diversity` takes them, and without similarity also a dict of lists of any
            lengths; or the labels of all individuals, as text, of one dataset
            or of several in a dict.
        similarity: None, a matrix (S, S), or a `lcrjax.Similarity`.
        size: Individuals, one number or several.
        coverage: Sample coverage in (0, 1], one number or several. With neither size nor coverage
            the largest coverage that all can reach: at twice their size, or at their size with a
            similarity.
        q: Viewpoints in [0, 100].
        elements: What the similarity compares, where it is no matrix.
        resamples: How many samples or subsets are drawn; 0 gives no intervals, and is for Hill
            numbers alone.
        level: Confidence level of the intervals.
        seed: Of the random numbers.

    Returns:
        A table, a row for each dataset, size or coverage, and viewpoint, with the columns dataset,
        size, coverage, method (rarefaction, observed or extrapolation), q, diversity,
        standard_error, lower and upper.

    Raises:
        ValueError: If counts are no whole numbers, both size and coverage are given, or a dataset
            is too small for them (named).

    References:
        Chao, Gotelli, Hsieh, Sander, Ma, Colwell & Ellison (2014), Ecological Monographs 84;
        Chao & Jost (2012), Ecology 93, for coverage, and (2015), Methods in Ecology and Evolution
        6, for any q. Between observation and source at q other than 0 and 2 diversity grows
        geometrically, as in the program iNEXT.

    Examples:
        >>> import lcrjax
        >>> catch = {"day": [10, 5, 3, 1, 1, 0], "night": [80, 40, 20, 12, 6, 2]}
        >>> table = lcrjax.rarefy(catch, size=20, q=0)
        >>> print(table[["dataset", "size", "method", "diversity"]].round(2).to_string(index=False))
        dataset  size      method  diversity
            day  20.0    observed       5.00
          night  20.0 rarefaction       4.54
    """
    import pandas as pd

    similar = similarity is not None and not isinstance(similarity, Identity)
    counts = counted_labels(counts)
    if isinstance(counts, dict) and not similar:
        counts = _of_one_length(counts)
    table, names, element_names = counts_array(counts)
    whole = whole_numbers(table)
    orders = viewpoints(q, np.float64)
    if orders.max() > _LARGEST_ORDER:
        raise ValueError(f"q holds {orders.max():g}: a sample can be rarefied for q up to 100")
    check_resampling(resamples, level, seed, least=0)
    if similar and resamples < 2:
        raise ValueError(f"resamples are {resamples}: subsets are averaged, so draw some")
    samples = [Sample(column) for column in whole.T]
    reach = 1 if similar else 2
    aims = _aims(samples, reach, size, coverage)
    for name, sample in zip(names, samples, strict=True):
        _check_reach(name, sample, reach, aims)
    rng = np.random.default_rng(seed)
    half = NormalDist().inv_cdf((1 + level) / 2)
    rows = []
    for j, (name, sample) in enumerate(zip(names, samples, strict=True)):
        sizes = _sizes(sample, aims)
        if similar:
            sizes = [float(math.floor(m)) for m in sizes]
            weigh = _weigher(similarity, element_names, elements, name, table.dtype)
            found = [_of_subsets(whole[:, j], int(m), weigh, orders, resamples, rng) for m in sizes]
            values, errors = (np.array(part) for part in zip(*found, strict=True))
        else:
            values = np.array([sample.hill(m, orders) for m in sizes])
            errors = _bootstrap_errors(sample, whole[:, j], aims, orders, resamples, rng)
        for i, m in enumerate(sizes):
            n = sample.size
            method = "observed" if m == n else "rarefaction" if m < n else "extrapolation"
            for k, order in enumerate(orders):
                value, error = float(values[i, k]), float(errors[i, k])
                ends = (max(value - half * error, 1.0), value + half * error)
                rows.append((name, m, sample.coverage(m), method, order, value, error, *ends))
    columns = "dataset size coverage method q diversity standard_error lower upper"
    return pd.DataFrame(rows, columns=columns.split())


def _of_one_length(counts: dict[Any, Any]) -> dict[Any, Any]:
    """Columns of counts with zeros at their ends: where no element is named, none is compared."""
    if any(row_names(column) is not None for column in counts.values()):
        return counts
    columns = {name: numbers(f"counts of {name!r}", column) for name, column in counts.items()}
    longest = max((column.size for column in columns.values()), default=0)
    return {
        name: np.pad(column, (0, longest - len(column))) if column.ndim == 1 else column
        for name, column in columns.items()
    }


class _Aims(NamedTuple):
    """The sizes or the coverages at which to compare."""

    of: str
    values: Float[np.ndarray, " m"]


def _aims(samples: list[Sample], reach: int, size: Any, coverage: Any) -> _Aims:
    if size is not None and coverage is not None:
        raise ValueError("both size and coverage are given: compare at one of them")
    if size is not None:
        sizes = np.atleast_1d(np.asarray(size, np.float64))
        if sizes.ndim != 1 or not np.all((sizes >= 1) & (sizes == np.rint(sizes))):
            raise ValueError(f"size is {size}: give whole numbers of individuals, at least 1")
        return _Aims("size", sizes)
    if coverage is None:
        coverage = min(sample.coverage(reach * sample.size) for sample in samples)
    shares = np.atleast_1d(np.asarray(coverage, np.float64))
    if shares.ndim != 1 or not np.all((shares > 0) & (shares <= 1)):
        raise ValueError(f"coverage is {coverage}: give shares of the source, in (0, 1]")
    return _Aims("coverage", shares)


def _sizes(sample: Sample, aims: _Aims) -> list[float]:
    if aims.of == "size":
        return [float(m) for m in aims.values]
    return [max(1.0, sample.size_of(float(c))) for c in aims.values]


def _check_reach(name: str, sample: Sample, reach: int, aims: _Aims) -> None:
    most = reach * sample.size
    for aim, m in zip(aims.values, _sizes(sample, aims), strict=True):
        if m > most * (1 + 1e-9):
            limit = f"{most}" if aims.of == "size" else f"{sample.coverage(most):.6g}"
            raise ValueError(
                f"{aims.of} {aim:g} is beyond dataset {name!r} of {sample.size} individuals, whose "
                f"diversity is known up to {limit}: give no more"
            )


def _bootstrap_errors(
    sample: Sample,
    counts: Int[np.ndarray, " S"],
    aims: _Aims,
    orders: Float[np.ndarray, " Q"],
    resamples: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "m Q"]:
    """Standard deviations of the estimates over samples from a source such as this one's."""
    if not resamples:
        return np.full((len(aims.values), len(orders)), np.nan)
    drawn = rng.multinomial(sample.size, sample.community(counts[counts > 0]), resamples)
    again = [Sample(row) for row in drawn]
    found = [[one.hill(m, orders) for m in _sizes(one, aims)] for one in again]
    return np.std(np.array(found), axis=0, ddof=1)


def _weigher(
    similarity: Any, names: tuple[Any, ...] | None, elements: Any, dataset: str, dtype: Any
) -> Callable[[Any], np.ndarray]:
    def weigh(shares: Float[np.ndarray, "S B"]) -> Float[np.ndarray, "S B"]:
        table = jnp.asarray(shares, dtype)
        weighed = weigh_counted(similarity, table, names, elements)
        check_ordinariness(weighed, table, (dataset,) * shares.shape[1])
        return np.asarray(weighed, np.float64)

    return weigh


def _of_subsets(
    counts: Int[np.ndarray, " S"],
    size: int,
    weigh: Callable[[Any], np.ndarray],
    orders: Float[np.ndarray, " Q"],
    resamples: int,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, " Q"], Float[np.ndarray, " Q"]]:
    """Mean diversity of subsets of a size, and its standard deviation between them."""
    if size == counts.sum():
        drawn = counts[None]
    else:
        drawn = rng.multivariate_hypergeometric(counts, size, resamples, method="marginals")
    shares = drawn / size
    weighed = weigh(shares.T).T
    groups, one = Runs(*shares.shape), Runs(1, len(shares))
    logs = log_power_means(1 - orders, shares.ravel(), -log_of(weighed.reshape(1, -1)), groups)
    means = log_power_means(1 - orders, np.ones(len(shares)), logs, one)
    spread = np.std(np.exp(logs[0]), axis=1, ddof=1) if len(shares) > 1 else np.zeros(len(orders))
    return np.exp(means[0, :, 0]), spread
