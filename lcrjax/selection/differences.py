"""Differences of two datasets in every measure, with intervals from draws of both."""

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lcrjax.measures.divergence import crossed_with, relative_to
from lcrjax.measures.family import MEASURES
from lcrjax.measures.labelled import labelled_diversity
from lcrjax.measures.resampling import Bootstrap, Resampling, drawn
from lcrjax.measures.result import Diversity
from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.progress import part
from lcrjax.pairwise.zp import ordinariness
from lcrjax.selection.comparison import Row
from lcrjax.selection.representation import Representation, class_weights
from lcrjax.selection.sides import Side
from lcrjax.similarity.base import Similarity

Table = Float[np.ndarray, "measures Q levels"]


def weighed(
    similarity: Similarity, side: Side, other: Side | None = None
) -> Float[np.ndarray, "n C"]:
    """Ordinariness of a side's elements in each class of another, or of its own."""
    weights = class_weights(side if other is None else other, np.float32)
    others = None if other is None else other.elements
    sums = np.asarray(ordinariness(side.elements, weights, similarity, others=others))
    if other is None:
        check_ordinariness(sums, weights, side.class_names)
    return sums


def diversity_of(own: Float[np.ndarray, "n C"], side: Side, q: Any) -> Diversity:
    """A side's diversity from the ordinariness of its elements."""
    assert side.labels is not None
    return labelled_diversity(own, side.labels.astype(np.int32), side.class_names, q)


def measure_rows(
    similarity: Similarity,
    sides: tuple[Side, Side],
    found: tuple[Diversity, Diversity],
    shared: Sequence[str],
    q: Sequence[float],
    resampling: Resampling | None,
) -> Iterator[Row]:
    """Set every measure of both sides side by side, for the datasets and the classes of both."""
    levels = ("dataset", *shared)
    at = [[0, *(1 + side.class_names.index(c) for c in shared)] for side in sides]
    own = [_numbers(d)[:, :, places] for d, places in zip(found, at, strict=True)]
    lower = upper = np.full_like(own[0], np.nan)
    if resampling is not None:
        draws = []
        for i, side in enumerate(sides):
            # Draws of two datasets are independent.
            seeded = dataclasses.replace(resampling, seed=resampling.seed + i)
            with part(i / 2, (i + 1) / 2):
                numbers, _ = drawn(found[i], _counts(side), _weigher(similarity, side), seeded)
            draws.append(numbers[:, : len(MEASURES)][..., at[i]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a class that no draw has is NaN
            own = [resampling.summary(o, d)[0] for o, d in zip(own, draws, strict=True)]
            _, lower, upper = resampling.summary(own[1] - own[0], draws[1] - draws[0])
    for j, level in enumerate(levels):
        for i, order in enumerate(q):
            for m, name in enumerate(MEASURES):
                a, b = (float(x[m, i, j]) for x in own)
                ends = (float(x[m, i, j]) for x in (lower, upper))
                yield Row("measure", level, name, order, a, b, b - a, *(_known(x) for x in ends))
    for i, order in enumerate(q):
        a, b = (float(d.class_balance[i]) for d in found)
        yield Row("measure", "dataset", "class_balance", order, a, b, b - a)
    for level in levels:
        a, b = (len(s) if level == "dataset" else s.counts[level] for s in sides)
        yield Row("measure", level, "size", None, float(a), float(b), float(b - a))


def between_rows(
    sides: tuple[Side, Side],
    own: tuple[Float[np.ndarray, "n A"], Float[np.ndarray, "m B"]],
    seen: tuple[Float[np.ndarray, "n B"], Float[np.ndarray, "m A"]],
    largest: tuple[Float[np.ndarray, "n B"], Float[np.ndarray, "m A"]],
    shared: Sequence[str],
    q: Sequence[float],
) -> Iterator[Row]:
    """What is new in each side to the other: relative and cross diversity, and coverage.

    Args:
        sides: Both.
        own: Ordinariness of the elements of each in its own classes.
        seen: In the classes of the other.
        largest: Their largest similarities to elements of these classes.
        shared: Classes that both have.
        q: Viewpoints.
    """
    for level in ("dataset", *shared):
        zp, zr, near = [], [], []
        for i, (side, other) in enumerate((sides, sides[::-1])):
            if level == "dataset":
                zp.append(own[i].sum(axis=1, dtype=np.float64))
                zr.append(seen[i].sum(axis=1, dtype=np.float64))
                near.append(largest[i].max(axis=1))
                continue
            place, its = side.class_names.index(level), other.class_names.index(level)
            mine = side.labels == place
            share = side.counts[level] / len(side), other.counts[level] / len(other)
            zp.append(own[i][mine, place].astype(np.float64) / share[0])
            zr.append(seen[i][mine, its].astype(np.float64) / share[1])
            near.append(largest[i][mine, its])
        for order in q:
            a, b = (_mean(relative_to, z, r, order) for z, r in zip(zp, zr, strict=True))
            yield Row("between", level, "relative_diversity", order, a, b, _minus(b, a))
        for order in q:
            a, b = (_mean(crossed_with, None, r, order) for r in zr)
            yield Row("between", level, "cross_diversity", order, a, b, _minus(b, a))
        a, b = (float(np.mean(x, dtype=np.float64)) for x in near)
        yield Row("between", level, "nearest_similarity", None, a, b, b - a)


def target_rows(
    target: Side,
    both: tuple[Representation, Representation],
    judged: Sequence[str],
    resampling: Bootstrap,
) -> Iterator[Row]:
    """How well both represent the target, with intervals over other elements of the target's kind.

    Args:
        target: Its elements.
        both: What they find in each side.
        judged: Classes of the target that a side has, over which balanced accuracy is a mean.
        resampling: Draws of the target's elements, which both sides share.
    """
    count = len(target)
    even = np.full(count, 1 / count)
    means: list[tuple[str, Any, Any]] = [
        ("ordinariness", even, [r.ordinariness for r in both]),
        ("largest_similarity", even, [r.largest_similarity for r in both]),
    ]
    if target.labels is not None:
        found = np.array([r.own_ordinariness for r in both], np.float64)
        known = ~np.isnan(found).any(axis=0)
        own = list(np.where(known, found, 0))
        if known.any():
            means.append(("own_ordinariness", known / known.sum(), own))
        sizes = np.array([size * (c in judged) for c, size in target.counts.items()], np.float64)
        weights = np.divide(1 / len(judged), sizes, out=np.zeros_like(sizes), where=sizes > 0)
        right = [np.asarray(r.right, np.float64) for r in both]
        means.append(("neighbour_bacc", weights[target.labels], right))
    counts = _counts(target) if target.labels is not None else np.ones((count, 1), np.int64)
    steps = np.array([weights * (b - a) for _, weights, (a, b) in means])
    draws = np.array([steps @ table.sum(axis=1) for table in resampling.draws(counts)])
    _, *ends = resampling.summary(steps.sum(axis=1)[:, None, None], draws[..., None, None])
    lower, upper = (x[:, 0, 0].tolist() for x in ends)
    for i, (name, weights, (a, b)) in enumerate(means):
        x, y = float(weights @ a), float(weights @ b)
        yield Row("target", "dataset", name, None, x, y, y - x, lower[i], upper[i])
    a, b = (r.mmd for r in both)
    yield Row("target", "dataset", "mmd", None, a, b, b - a)


def _numbers(found: Diversity) -> Table:
    """Every measure of the dataset and, after it, of the classes."""
    tables = [(found.dataset_level[m], found.class_level[m]) for m in MEASURES]
    return np.stack(
        [
            np.concatenate([np.asarray(d, np.float64)[:, None], np.asarray(c, np.float64)], axis=1)
            for d, c in tables
        ]
    )


def _counts(side: Side) -> np.ndarray:
    return np.eye(len(side.class_names), dtype=np.int64)[side.labels]


def _weigher(similarity: Similarity, side: Side) -> Any:
    return lambda table: ordinariness(side.elements, jnp.asarray(table), similarity)


def _mean(mean: Any, zp: np.ndarray | None, zr: np.ndarray, q: float) -> float:
    even = np.full((len(zr), 1), 1 / len(zr))
    given = (even, zr[:, None]) if zp is None else (even, zp[:, None], zr[:, None])
    return float(mean(*given, q)[0, 0])


def _minus(b: float, a: float) -> float:
    return 0.0 if a == b else b - a  # of infinities, too


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
