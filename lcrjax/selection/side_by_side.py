"""Two datasets compared: checks, similarities, and the course of a comparison."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lcrjax.measures.resampling import Bootstrap, Resampling
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.numerics.listing import listed
from lcrjax.numerics.progress import part, telling
from lcrjax.pairwise.largest import largest_similarities
from lcrjax.selection.comparison import Comparison, Row, judge, not_known
from lcrjax.selection.differences import (
    between_rows,
    diversity_of,
    measure_rows,
    target_rows,
    weighed,
)
from lcrjax.selection.near_pairs import distances_by, near_pairs, near_threshold
from lcrjax.selection.relations import check_symmetric, relation_of, seen_by
from lcrjax.selection.representation import mean_similarity, represent
from lcrjax.selection.scale import CHOOSING
from lcrjax.selection.sides import Side, alike, as_side, class_notes
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.spec import check_similarity

#: Draws cost about 400 C n² operations; up to so many n² C of both sides they are made unasked.
CHEAP = 2.5e8


def compare(
    a: Any,
    b: Any,
    target: Any = None,
    *,
    similarity: Any = None,
    q: Any = (0, 1, np.inf),
    predictor: Any = None,
    resampling: Resampling | str | None = "cheap",
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> Comparison:
    r"""Compare two labelled datasets: which is more diverse, what is new in each, which is better.

    All pairs of elements are compared, within and between the datasets, and none are stored: memory
    grows with the number of elements, time with that of pairs.

    Args:
        a: A `lcrjax.data.Dataset` (its training split), a `lcrjax.data.Split`, or a tuple
            (elements, labels). Elements are images, vectors, texts, or rows of a table; classes are
            matched by name.
        b: The other, of the same kind and shape.
        target: What a model is to be good at, such as a test set: as `a`, of a Dataset its test
            split if it has one; or elements alone, without labels.
        similarity: A `Similarity`, or a word as `parse_similarity` reads it. None measures with
            what is usual: the paper's RMSD of images, "cosine" of vectors, "ngram" of texts,
            "gower" of rows; and looks for similar elements, also of the target, by what
            `usual_similarity` says, which tells elements of one class apart. What a word takes from
            the elements is from those of all sides together.
        q: Viewpoints.
        predictor: A `Predictor`, such as one that was fitted to a study: an object with a method
            `probability(comparison)`, that b makes the better model; see
            `lcrjax.study.load_predictor`. None leaves the verdict open.
        resampling: `lcrjax.Bootstrap()` for intervals of the differences between the sources that
            both are samples of; `lcrjax.Subsets(size)` to compare all measures at one size; None
            for no intervals of the measures; "cheap" for `Bootstrap()` where it takes seconds.
        progress: Called with what is being done and which share of that.

    Returns:
        A `Comparison`: every measure with its difference b - a; relative and cross diversity of
        each as seen from the other, where a relative diversity of one says that its elements are as
        ordinary there as at home, and their mean similarity to the most similar one there
        ("nearest_similarity", less where more is new); near-duplicates between both; and of a
        target the mean similarity of its elements to those of each dataset ("ordinariness"), and to
        those of their own class ("own_ordinariness"), the mean largest similarity
        ("largest_similarity", the aim of facility location), the maximum mean discrepancy ("mmd"),
        the balanced accuracy of telling its classes by the most similar element ("neighbour_bacc"),
        and how many have a near-duplicate ("near_duplicates").

    Raises:
        ValueError: If a side has no labels or elements, kinds, shapes or columns differ, no class
            is in two of them, the similarity compares other elements, knows its own alone or is not
            symmetric, or the predictor has no such method.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.selection import compare
        >>> narrow = np.array([[0.0], [0.1], [5.0], [5.1]]), ["x", "x", "y", "y"]
        >>> wide = np.array([[0.0], [1.0], [5.0], [7.0]]), ["x", "x", "y", "y"]
        >>> found = compare(narrow, wide, similarity="laplacian:1", q=1)
        >>> print(round(found.row("gamma", 1).difference, 2))
        1.09
    """
    if predictor is not None and not callable(getattr(predictor, "probability", None)):
        raise ValueError(
            f"the predictor is a {type(predictor).__name__}: give an object with a method "
            "probability(comparison)"
        )
    orders = viewpoints(q, np.float64)
    sides = _sides(a, b, target)
    kind = sides[0].kind
    notes = class_notes(*sides)
    if isinstance(similarity, str):
        check_similarity(similarity, kind)
    relation, said = relation_of(similarity, kind, sides)
    sides = seen_by(relation, sides) if isinstance(similarity, str) else sides
    closeness, closeness_said = relation, said
    if similarity is None:
        closeness, closeness_said = relation_of(CHOOSING[kind], kind, sides)
    both, aim = (sides[0], sides[1]), sides[2] if len(sides) > 2 else None
    if aim is not None:
        check_symmetric(closeness, aim)
    shared = [c for c in both[0].class_names if c in both[1].class_names]
    resampling = _resampling(resampling, both, notes)
    stage = "comparing elements of each dataset"
    progress(stage, 0.0)
    first = len(both[0]) ** 2 / (len(both[0]) ** 2 + len(both[1]) ** 2)
    with telling(functools.partial(progress, stage)):
        with part(0, first):
            own_a = weighed(relation, both[0])
        with part(first, 1):
            own = own_a, weighed(relation, both[1])
    found = (diversity_of(own[0], both[0], orders), diversity_of(own[1], both[1], orders))
    stage = "comparing elements of both datasets"
    progress(stage, 0.0)
    with telling(functools.partial(progress, stage)):
        seen, largest = _across(relation, closeness, both)
    stage = "drawing both datasets again for intervals"
    if resampling is not None:
        progress(stage, 0.0)
    with telling(functools.partial(progress, stage)):
        rows = list(measure_rows(relation, both, found, shared, orders.tolist(), resampling))
    rows += between_rows(both, own, seen, largest, shared, orders.tolist())
    stage = "looking for near-duplicates"
    progress(stage, 0.0)
    by = distances_by(sides)
    threshold = near_threshold(both, by, progress=lambda share: progress(stage, share * 2 / 3))
    near = near_pairs(*both, threshold, by, progress=lambda share: progress(stage, (2 + share) / 3))
    if aim is not None:
        progress("comparing the target with both datasets", 0.0)
        rows += _represented(closeness, aim, both, notes)
        rows.append(_leaks(aim, both, near.threshold, by))
    comparison = Comparison(
        a=both[0],
        b=both[1],
        target=aim,
        similarity=relation,
        similarity_said=said,
        closeness=closeness,
        closeness_said=closeness_said,
        diversity=found,
        rows=tuple(rows),
        near=near,
        verdict=not_known("no predictor that was fitted to a study is given"),
        notes=tuple(notes),
    )
    return comparison if predictor is None else judge(comparison, predictor)


def _sides(a: Any, b: Any, target: Any) -> list[Side]:
    sides = [as_side(a, "a"), as_side(b, "b")]
    if sides[0].name == sides[1].name:
        sides = [
            dataclasses.replace(side, name=f"{side.name} ({letter})")
            for side, letter in zip(sides, "ab", strict=True)
        ]
    if target is None:
        return alike(sides)
    aim = as_side(target, "target", target=True)
    if aim.name in (sides[0].name, sides[1].name):
        aim = dataclasses.replace(aim, name=f"{aim.name} (target)")
    return alike([*sides, aim])


def _resampling(given: Any, both: tuple[Side, Side], notes: list[str]) -> Resampling | None:
    """Choose what to draw, and note what its intervals are."""
    chosen = given
    if isinstance(given, str):
        if given != "cheap":
            raise ValueError(
                f'resampling is {given!r}: give Bootstrap(), Subsets(size), None or "cheap"'
            )
        work = sum(len(side) ** 2 * len(side.class_names) for side in both)
        chosen = Bootstrap() if work <= CHEAP else None
        if chosen is None:
            notes.append(
                "Differences of the measures have no intervals, which would take long for so many "
                "elements: ask for them by resampling=lcrjax.Bootstrap()."
            )
    if isinstance(chosen, Bootstrap):
        notes.append(
            f"Intervals ({chosen.level:.0%}) of the measures are of the difference between the "
            f"sources that both are samples of, from {chosen.count} bootstrap draws of each; those "
            "of relative and cross diversity and of class balance are not estimated.".replace(
                "%", " %"
            )
        )
    elif chosen is not None:
        notes.append(
            f"The measures are means over {chosen.count} random subsets of {chosen.size} elements "
            "of each, with intervals of the difference between two such subsets; all else is of "
            "the whole datasets."
        )
    return chosen


def _across(
    relation: Similarity, closeness: Similarity, both: tuple[Side, Side]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """How ordinary the elements of each are in the other, and how like its most similar ones."""
    found = []
    for k, (compared, similarity) in enumerate([(weighed, relation), (_largest, closeness)]):
        for i, sides in enumerate((both, both[::-1])):
            with part((2 * k + i) / 4, (2 * k + i + 1) / 4):
                found.append(compared(similarity, *sides))
    return (found[0], found[1]), (found[2], found[3])


def _largest(similarity: Similarity, side: Side, other: Side) -> np.ndarray:
    """Largest similarity of a side's elements to those of each class of the other."""
    assert other.labels is not None
    return largest_similarities(
        similarity, side.elements, other.elements, other.labels, len(other.class_names)
    )


def _represented(
    similarity: Similarity,
    target: Side,
    both: tuple[Side, Side],
    notes: list[str],
) -> list[Row]:
    """Rows of how well both represent the target; notes what they leave out."""
    within = mean_similarity(similarity, target)
    first, second = (
        represent(similarity, target, side, within, mean_similarity(similarity, side))
        for side in both
    )
    known = {name for side in both for name in side.class_names}
    judged = [name for name in target.class_names if name in known]
    draws = Bootstrap()
    rows = list(target_rows(target, (first, second), judged, draws))
    notes.append(
        f"Intervals ({draws.level:.0%}) of what concerns {target.name} are of the difference on "
        f"other elements of its source, from {draws.count} bootstrap draws of its elements; none "
        "is estimated for the maximum mean discrepancy.".replace("%", " %")
    )
    if target.labels is None:
        notes.append(
            f"{target.name} has no labels: what needs its classes was left out (similarity to the "
            "own class, balanced accuracy)."
        )
    elif len(judged) < len(target.class_names):
        absent = [name for name in target.class_names if name not in known]
        notes.append(
            f"No side has {listed(absent)} of {target.name}: balanced accuracy is over its "
            f"other {len(judged)} classes."
        )
    return rows


def _leaks(target: Side, both: tuple[Side, Side], threshold: float, by: Any) -> Row:
    """How many of the target's elements have a near-duplicate in each side."""
    a, b = (
        float(len(set(near_pairs(target, side, threshold, by).first.tolist()))) for side in both
    )
    return Row("target", "dataset", "near_duplicates", None, a, b, b - a)
