"""Estimates of diversity from sampled elements and sampled others: their cost does not grow with n.

Rows are drawn in two phases: candidates, several times as many, are compared with few columns,
which sorts them as `lcrjax.measures.estimates` sorts all elements. The ordinariness of each row is
estimated from columns, drawn by class, as it would be known from all. What is computed of it is no
linear function, so that it has a bias; the columns are dealt to groups, and what leaving out each
group in turn changes gives that bias and the variance that is due to columns (the jackknife). A
class of which f is among the columns takes part with sqrt(1 - f) of its changes, by which both
become those of a sample without replacement.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.family import Family, Members, family_of
from lcrjax.measures.first_look import (
    FEWEST_LOOK,
    columns_of_first_look,
    first_look,
    more_outliers,
)
from lcrjax.measures.growing import grown
from lcrjax.measures.result import Diversity
from lcrjax.measures.result_tables import estimate_result, mixed_table
from lcrjax.measures.sample_intervals import measures_of_logs, sample_intervals
from lcrjax.measures.strata import (
    Sample,
    class_sizes,
    drawn_again,
    drawn_evenly,
    present_classes,
)
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.groupings import Segments
from lcrjax.numerics.whole_numbers import is_whole
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.zp import zp
from lcrjax.similarity.base import Similarity, part_of

#: Columns that a class has at least, or all that it has.
FEWEST_COLUMNS = 16
_GROUPS = 20
# Candidates for each row. They are compared with so many times fewer columns.
_CANDIDATES = 8
_LEVEL = 0.95
# Where intervals were seen to hold the truth too seldom (`experiments.coverage`).
_HELD = 1  # or fewer of those elements in a sample that make half of the variance of a class
_VAGUE = 0.03  # standard error of a row's log ordinariness, the median


class Looked(NamedTuple):
    """How similar k elements seem to their classes, class after class, and how many each has."""

    own: Float[np.ndarray, " k"]
    in_class: Int[np.ndarray, " C"]


def estimated_by_columns(
    similarity: Similarity,
    elements: Any,
    classes: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    q: Any,
    *,
    rows: int | None,
    error: float | None,
    columns: int,
    seed: int,
    check: Callable[[Any], None] | None = None,
) -> Diversity | None:
    """Estimate the family from the similarities of sampled elements to sampled others.

    Args:
        similarity: Any that compares elements with others.
        elements: n elements, as it takes them.
        classes: Class of each element, 0 to C - 1.
        class_names: C names.
        q: Viewpoints in [0, inf].
        rows: Elements whose ordinariness is estimated.
        error: In place of it, half the width of the intervals of A, R and G of the dataset at
            finite viewpoints, relative to their values; rows and columns grow until it is reached.
        columns: Elements that they are compared with.
        seed: Of the random numbers.
        check: What looks at the elements that were drawn, before they are compared.

    Returns:
        A `Diversity` with intervals; None where all elements are to be taken. Warnings say why
        intervals may hold the truth too seldom, as far as the sample shows it.

    Raises:
        ValueError: If the error is out of reach, and all pairs are too many.

    References:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.
    """
    present, own = present_classes(classes)
    sizes = class_sizes(own)
    doubts: list[str] = []

    def once(rows: int, columns: int) -> Diversity:
        rng = np.random.default_rng(seed)
        sample, looked = _rows(similarity, elements, own, sizes, rows, columns, rng, check)
        chosen = drawn_evenly(own, sizes, columns, rng)
        found, doubts[:] = _once(
            similarity, elements, own, sizes, present, class_names, q, sample, looked, chosen,
            check,
        )  # fmt: skip
        return found

    if error is not None:
        found = grown(once, len(classes), len(class_names), error, columns)
    else:
        assert rows is not None
        found = once(rows, columns)
    if found is not None:
        for doubt in doubts:
            warnings.warn(doubt, stacklevel=3)
    return found


def check_columns(columns: int | None, rows: int | None, error: float | None, classes: Any) -> None:
    """Check how many columns are asked for.

    Raises:
        ValueError: If neither rows nor an error say how many to compare with them, or there are
            fewer than a class needs.
    """
    if columns is None:
        return
    if rows is None and error is None:
        raise ValueError(
            f"columns is {columns}, and neither rows nor error is given: give one of them"
        )
    sizes = class_sizes(classes)
    least = int(np.minimum(sizes, FEWEST_COLUMNS).sum())
    if not is_whole(columns) or columns < least:
        raise ValueError(
            f"columns is {columns!r}, and there are {np.count_nonzero(sizes)} classes: give "
            f"{FEWEST_COLUMNS} for each at least, {least}"
        )


def _once(
    similarity: Similarity,
    elements: Any,
    own: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " C"],
    present: Int[np.ndarray, " P"],
    class_names: tuple[str, ...],
    q: Any,
    sample: Sample,
    looked: Looked | None,
    chosen: Sample,
    check: Callable[[Any], None] | None,
) -> tuple[Diversity, list[str]]:
    """An estimate from such rows and columns, and in sentences why it may be too sure of itself."""
    from scipy.special import stdtrit

    n = len(own)
    names = tuple(class_names[i] for i in present)
    sums, counts = _sums_by_group(similarity, elements, own, names, sample, chosen, check)
    orders = viewpoints(q, float_dtype(*jax.tree.leaves(elements)))
    finite = orders.astype(np.float64)

    # As many datasets as there are groups, and one before them that has all.
    z = np.stack([*_ordinariness(sums, counts, sizes, own[sample.rows])]) / n
    mine, everyone = z[:, np.arange(z.shape[1]), own[sample.rows]], z.sum(axis=2)
    items = np.log(np.stack([1 / mine, everyone / mine, 1 / everyone], axis=1))
    several, kinds = len(z), len(present)
    members = Members(
        np.tile(sample.weights, several),
        mine.reshape(-1),
        everyone.reshape(-1),
        Segments(np.tile(sample.in_class, several)),
        Segments(np.full(several, kinds)),
    )
    families = _each(family_of(members, finite), kinds)
    tables = np.stack([mixed_table(found) for found in families])
    error, low, high = sample_intervals(sample, items[0], families[0], orders, _LEVEL)

    with np.errstate(all="ignore"):
        value, variance = _jackknife(tables)
        t = stdtrit(_GROUPS - 1, (1 + _LEVEL) / 2)
        ends = [
            value + sign * np.sqrt((end - tables[0]) ** 2 + t**2 * variance)
            for sign, end in ((-1, low), (1, high))
        ]
        error = np.sqrt(error**2 + variance)
        bounds = _bounds(sample, items, sizes=sizes.astype(np.float64))
        for table, bound in zip((value, *ends), bounds, strict=True):
            table[:-1, np.isinf(finite)] = bound
    found = estimate_result(
        orders, class_names, present, value, error, *ends,
        rows=len(sample.rows), columns=len(chosen.rows),
    )  # fmt: skip
    seen = looked or Looked(mine[0], sample.in_class)
    return found, _doubts(seen, sample, chosen, items[:, 0], names)


def _rows(
    similarity: Similarity,
    elements: Any,
    classes: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " C"],
    rows: int,
    columns: int,
    rng: np.random.Generator,
    check: Callable[[Any], None] | None,
) -> tuple[Sample, Looked | None]:
    """Rows from candidates that a first look has sorted, and what it has seen."""
    kinds = len(sizes)
    few = min(columns_of_first_look(rows, kinds), max(columns // _CANDIDATES, FEWEST_LOOK * kinds))
    if not few:
        return drawn_evenly(classes, sizes, rows, rng), None
    asked = _CANDIDATES * rows, few
    candidates, first = (drawn_evenly(classes, sizes, m, rng) for m in asked)
    others, its = part_of(similarity, elements, first.rows), classes[first.rows]
    if check is not None:
        check(others)
    guesses, at_once = [], rows + columns  # no more than lie in memory together afterwards
    for at in range(0, len(candidates.rows), at_once):
        places = candidates.rows[at : at + at_once]
        some = part_of(similarity, elements, places)
        if check is not None:
            check(some)
        guesses.append(first_look(similarity, some, classes[places], first, others, its, places))
    guess = np.concatenate(guesses)
    return drawn_again(candidates, rows, rng, guess), Looked(guess[:, 0], candidates.in_class)


def _sums_by_group(
    similarity: Similarity,
    elements: Any,
    classes: Int[np.ndarray, " n"],
    names: tuple[str, ...],
    sample: Sample,
    chosen: Sample,
    check: Callable[[Any], None] | None,
) -> tuple[Float[np.ndarray, "groups m C"], Float[np.ndarray, "groups m C"]]:
    """Similarities of each row to the columns of each group and class other than itself, summed.

    And how many columns these are.
    """
    rows, columns = (part_of(similarity, elements, s.rows) for s in (sample, chosen))
    if check is not None:
        check(rows)
        check(columns)
    groups = np.concatenate([np.arange(count) % _GROUPS for count in chosen.taken])
    of_columns, kinds = classes[chosen.rows], np.arange(len(names))
    dtype = float_dtype(*jax.tree.leaves(elements))
    shape = (_GROUPS, len(sample.rows), len(names))
    sums, counts = np.zeros(shape), np.zeros(shape)
    for group in range(_GROUPS):
        here = np.flatnonzero(groups == group)
        if not len(here):
            continue
        table = (of_columns[here][:, None] == kinds[None]).astype(dtype)
        found = zp(similarity, rows, jnp.asarray(table), part_of(similarity, columns, here))
        check_ordinariness(found, np.zeros(found.shape), names, sample.rows)
        sums[group], counts[group] = found, table.sum(axis=0)
    _, i, j = np.intersect1d(sample.rows, chosen.rows, return_indices=True)
    itself = groups[j], i, of_columns[j]
    sums[itself] = np.maximum(sums[itself] - 1, 0)
    counts[itself] -= 1
    return sums, counts


def _ordinariness(
    sums: Float[np.ndarray, "groups m C"],
    counts: Float[np.ndarray, "groups m C"],
    sizes: Int[np.ndarray, " C"],
    classes: Int[np.ndarray, " m"],
) -> Iterator[Float[np.ndarray, "m C"]]:
    """Sums of similarities to all elements of each class: of all groups, then without each."""
    itself = (classes[:, None] == np.arange(len(sizes))).astype(np.float64)
    others = sizes - itself
    total, count = sums.sum(axis=0), counts.sum(axis=0)
    mean = total / np.maximum(count, 1)
    left = np.sqrt(np.maximum(1 - count / np.maximum(others, 1), 0))
    yield itself + others * mean
    for part, size in zip(sums, counts, strict=True):
        without = np.maximum(total - part, 0) / np.maximum(count - size, 1)
        change = np.where(count > size, without - mean, 0)
        yield itself + others * (mean + left * change)


def _doubts(
    looked: Looked,
    sample: Sample,
    chosen: Sample,
    logs: Float[np.ndarray, "several m"],
    names: tuple[str, ...],
) -> list[str]:
    """What is seen of why intervals may be too narrow.

    Args:
        looked: How similar elements seem to their classes.
        sample: The rows.
        chosen: The columns.
        logs: Of what alpha is a mean of, for each row; all, and without each group.
        names: Of the classes.
    """
    found = [more_outliers(names[j], len(sample.rows)) for j in np.flatnonzero(sample.crowded)[:1]]
    less = "intervals may hold the truth too seldom, so give more"
    own = np.maximum(looked.own.astype(np.float64), 1e-100)
    for what, values, draws in (
        ("candidates for rows", 1 / own, sample.candidates),
        ("columns", own, chosen.in_class),
    ):
        held = _deciding(values, looked.in_class) * draws / looked.in_class
        held[draws == sample.population] = np.inf
        if held[far := int(np.argmin(held))] < _HELD:
            found.append(
                f"outliers make half of the variance of class {names[far]!r}, and of these the "
                f"{what} hold about {held[far]:.2g}: {less} of both, or rows alone"
            )
    if (error := float(np.median(np.sqrt(_jackknife(logs)[1])))) > _VAGUE:
        found.append(
            f"columns tell the ordinariness of a row to {100 * error:.2g} % only: {less} columns, "
            "or rows alone"
        )
    return found


def _deciding(
    values: Float[np.ndarray, " k"], in_class: Int[np.ndarray, " C"]
) -> Float[np.ndarray, " C"]:
    """How many elements of each class, those far from its mean, make half of its variance."""
    out = np.full(len(in_class), np.inf)
    for j, part in enumerate(np.split(values.astype(np.float64), np.cumsum(in_class)[:-1])):
        apart = np.sort((part - part.mean()) ** 2)[::-1]
        share = np.cumsum(apart) / max(apart.sum(), 1e-300)
        if share[-1] > 0.5:  # they differ
            out[j] = np.interp(0.5, np.r_[0, share], np.arange(len(part) + 1))
    return out


def _each(found: Family, kinds: int) -> list[Family]:
    """The families of several datasets of as many classes."""
    parts = []
    for i in range(found.dataset_numbers.shape[-1]):
        classes = slice(i * kinds, (i + 1) * kinds)
        parts.append(
            Family(
                found.class_numbers[..., classes],
                found.dataset_numbers[..., i],
                found.class_entropies[..., classes],
                found.dataset_entropies[..., i],
                found.class_balance[..., i],
            )
        )
    return parts


def _jackknife(
    values: Float[np.ndarray, "several *shape"],
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """The first of some values less its bias, and its variance, by those without each group."""
    whole, without = values[0], values[1:]
    mean = without.mean(axis=0)
    variance = (_GROUPS - 1) / _GROUPS * ((without - mean) ** 2).sum(axis=0)
    return whole - (_GROUPS - 1) * (mean - whole), variance


def _bounds(
    sample: Sample, logs: Float[np.ndarray, "several 3 m"], sizes: Float[np.ndarray, " C"]
) -> list[Float[np.ndarray, "measures 1 columns"]]:
    """What is certain at q = inf, to the level, of every measure: a value, and both ends.

    Each row is so uncertain that all rows together keep to the level (Bonferroni).
    """
    from scipy.special import stdtrit

    of_classes = Segments(sample.in_class)
    error = np.sqrt(_jackknife(logs)[1])
    far = stdtrit(_GROUPS - 1, 1 - (1 - _LEVEL) / (2 * logs[0].shape[1])) * error
    whole = sizes == sample.in_class
    high = of_classes.least(logs[0] + far)
    low = np.where(whole, of_classes.least(logs[0] - far), -np.inf)
    value = np.where(whole, of_classes.least(logs[0]), high)
    given, one, other = (measures_of_logs(x[:, None], sizes) for x in (value, low, high))
    tables = (given, np.minimum(one, other), np.maximum(one, other))
    return [np.concatenate([x.min(axis=-1, keepdims=True), x], axis=-1) for x in tables]
