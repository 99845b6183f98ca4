"""Estimates of the diversity of a labelled dataset from a sample of its elements."""

import dataclasses
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from lcrjax.measures.family import Members, alone, family_of
from lcrjax.measures.first_look import columns_of_first_look, first_look, more_outliers
from lcrjax.measures.growing import grown
from lcrjax.measures.result import Diversity
from lcrjax.measures.result_tables import estimate_result, mixed_table
from lcrjax.measures.sample_intervals import sample_intervals
from lcrjax.measures.strata import class_sizes, drawn, members_of, present_classes
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.groupings import Segments
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.whole_numbers import check_seed, check_whole
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.indicators import Indicators
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.pairwise.zp import zp
from lcrjax.similarity.base import KnowsElements, Similarity, part_of


def estimated(
    similarity: Similarity,
    elements: Any,
    classes: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    q: Any,
    *,
    rows: int | None,
    error: float | None,
    seed: int,
) -> Diversity | None:
    """Estimate the family from the ordinariness of sampled elements against all.

    Args:
        similarity: Any that compares elements with others.
        elements: n elements, as it takes them.
        classes: Class of each element, 0 to C - 1.
        class_names: C names.
        q: Viewpoints in [0, inf].
        rows: Elements to sample.
        error: In place of it, half the width of the intervals of A, R and G of the dataset at
            finite viewpoints, relative to their values.
        seed: Of the random numbers.

    Returns:
        A `Diversity` with intervals; None where all elements are to be taken. A class whose
        outliers are more than the rows hold is told by a warning.

    Raises:
        ValueError: If the error is out of reach, and all pairs are too many.
    """
    rng, n = np.random.default_rng(seed), len(classes)
    present, own = present_classes(classes)
    members = members_of(own)
    crowded: list[str] = []

    def once(asked: int, _: int = n) -> Diversity:
        found, crowded[:] = _once(
            similarity, elements, classes, present, own, members, class_names, q, asked, rng
        )
        return found

    if error is not None:
        found = grown(once, n, len(class_names), error)
    else:
        assert rows is not None
        found = once(rows) if rows < n else None
    if found is not None and crowded:
        assert found.rows is not None
        warnings.warn(more_outliers(crowded[0], found.rows), stacklevel=3)
    return found


def check_asked(
    orders: Any, rows: int | None, error: float | None, resampling: Any, seed: int
) -> None:
    """Check what is asked of an estimate, before anything is looked at.

    Raises:
        ValueError: If rows, error or the seed make no sense, or no sense together with the rest.
    """
    if rows is None and error is None:
        return
    if rows is not None and error is not None:
        raise ValueError(f"rows is {rows} and error {error}: give one of them")
    if resampling is not None:
        raise ValueError("an estimate is not resampled: leave out rows and error, or resampling")
    check_seed(seed)
    if rows is not None:
        check_whole("rows", rows, 1, "give how many images to sample, such as 4096")
    if error is not None and not (np.isreal(error) and 0 < error < np.inf):
        raise ValueError(f"error is {error!r}: give a positive number, such as 0.002 for 0.2 %")
    if not at_hand(orders):
        raise ValueError("viewpoints are traced: give numbers for an estimate")
    if error is not None and not np.isfinite(orders).any():
        raise ValueError("at q = inf a sample gives a bound and no error: give a finite q too")


def check_estimable(similarity: Similarity, elements: Any, classes: Any, rows: int | None) -> None:
    """Check that elements can be sampled.

    Raises:
        ValueError: If they are traced, the similarity knows its own elements alone, or rows are
            fewer than two for each class.
    """
    if not at_hand(*jax.tree.leaves((similarity, elements)), classes):
        raise ValueError("images or labels are traced, of which none are sampled: give arrays")
    if isinstance(similarity, KnowsElements):
        raise ValueError(
            f"a {type(similarity).__name__} knows all similarities: leave out rows and error"
        )
    count = int(np.count_nonzero(class_sizes(classes)))
    if rows is not None and rows < min(2 * count, len(classes)):
        raise ValueError(
            f"rows is {rows}, and there are {count} classes: give two for each at least, "
            f"{2 * count}"
        )


def exact(own: Diversity) -> Diversity:
    """Give what is measured of all elements the intervals that it has: of no width."""
    none = jax.tree.map(jnp.zeros_like, own)
    return dataclasses.replace(own, standard_error=none, lower=own, upper=own)


def _once(
    similarity: Similarity,
    elements: Any,
    labels: Int[np.ndarray, " n"],
    present: Int[np.ndarray, " P"],
    classes: Int[np.ndarray, " n"],
    members: list[Int[np.ndarray, " _"]],
    class_names: tuple[str, ...],
    q: Any,
    rows: int,
    rng: np.random.Generator,
) -> tuple[Diversity, list[str]]:
    """An estimate from so many rows, and the classes whose outliers these do not hold."""
    guess = None
    if few := columns_of_first_look(rows, len(present)):
        columns = drawn(members, few, rng)
        others, its = part_of(similarity, elements, columns.rows), classes[columns.rows]
        guess = first_look(similarity, elements, classes, columns, others, its)
    sample = drawn(members, rows, rng, guess)
    chosen = part_of(similarity, elements, sample.rows)
    weights = Indicators(labels, len(class_names), float_dtype(*jax.tree.leaves(elements)))
    if isinstance(elements, Stream):
        sums = product_of_stream(similarity, chosen, weights, elements)
    else:
        check_room(
            2 * len(labels) * len(class_names) * weights.dtype.itemsize,
            f"weights of {len(labels):,} images in {len(class_names):,} classes",
        )
        sums = np.asarray(zp(similarity, chosen, jnp.asarray(weights[:]), elements))
    check_ordinariness(sums, weights[sample.rows], class_names, sample.rows)
    orders = viewpoints(q, sums.dtype)
    table = sums[:, present].astype(np.float64) / len(classes)
    mine = table[np.arange(len(table)), classes[sample.rows]]
    everyone = table.sum(axis=1)
    of_sample = Members(
        sample.weights,
        mine,
        everyone,
        Segments(sample.in_class),
        Segments(np.array([len(present)])),
    )
    found = alone(family_of(of_sample, orders.astype(np.float64)))
    items = np.log(np.stack([1 / mine, everyone / mine, 1 / everyone]))
    intervals = sample_intervals(sample, items, found, orders)
    own = estimate_result(
        orders, class_names, present, mixed_table(found), *intervals, rows=len(sample.rows)
    )
    crowded = [class_names[j] for j in present[sample.crowded]]
    return own, crowded
