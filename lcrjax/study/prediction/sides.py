"""Measures of the two sides of a comparison, as a study measures its subsets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from lcrjax.measures.hill import hill_number
from lcrjax.selection import Comparison, NotPredictableError
from lcrjax.selection.sides import Side, joined
from lcrjax.similarity.spec import check_similarity, parse_similarity, pixels_for
from lcrjax.study.columns import FEATURES, ORDERS
from lcrjax.study.feature_table import features
from lcrjax.study.measuring.held_out import Seen, held_out_measures, look
from lcrjax.study.measuring.names import (
    HELD_OUT_MEASURES,
    LABEL_MEASURES,
    PAPER_MEASURES,
    split_column,
)
from lcrjax.study.measuring.of_dataset import blocks_of
from lcrjax.study.measuring.of_labels import label_measures

_PAIRS_AT_ONCE = 2**22  # of an element of the target and a member
#: Those that rest on the labels alone.
_OF_COUNTS = ("size", "CB_1", "CB_inf", *LABEL_MEASURES)
#: Those that two datasets are measured with; others take whole matrices of similarities.
KNOWN = (*FEATURES, *LABEL_MEASURES, *(name for name in HELD_OUT_MEASURES if name != "mmd"))


def check_measures(names: Sequence[str]) -> None:
    """Refuse columns that a comparison's sides are not measured with.

    Raises:
        ValueError: If there is one.
    """
    for name in names:
        measure, word = split_column(name)
        if measure not in KNOWN or (word is None and measure in HELD_OUT_MEASURES):
            raise ValueError(
                f"{name!r} is not measured of two datasets: choose features of the paper, or such "
                f"as {', '.join(KNOWN[-3:])}, with a similarity"
            )


def measure_sides(
    comparison: Comparison, names: Sequence[str], similarity: str
) -> dict[str, tuple[float, float]]:
    """Measure both sides of a comparison; a target stands for images that neither has.

    Args:
        comparison: The comparison.
        names: Columns, as a study's table calls them.
        similarity: What columns without a similarity in brackets were measured with.

    Returns:
        By column, the values of the first and of the second side. A `median` is that of the
        elements of both.

    Raises:
        NotPredictableError: If a column needs a labelled target and there is none, compares other
            elements, or has no finite number above 0.
    """
    both = [comparison.a, comparison.b]
    classes = list(dict.fromkeys(c for side in both for c in side.class_names))
    found: dict[str, tuple[float, float]] = {}
    words: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        measure, word = split_column(name)
        if measure in _OF_COUNTS:
            first, second = (_of_counts(side, classes)[measure] for side in both)
            found[name] = (first, second)
        else:
            words.setdefault(word or similarity, []).append((name, measure))
    for word, wanted in words.items():
        try:
            check_similarity(word, comparison.a.kind)
        except ValueError as error:
            raise NotPredictableError(f"the study's {wanted[0][0]}: {error}") from None
        known: dict[str, Any] = {}
        measures = {measure for _, measure in wanted}
        if measures & set(PAPER_MEASURES):
            known |= _paper(both, classes, word)
        if measures & set(HELD_OUT_MEASURES):
            known |= _held_out(both, comparison.target, classes, word, wanted[0][0])
        found |= {name: known[measure] for name, measure in wanted}
    for name, values in found.items():
        for side, value in zip(both, values, strict=True):
            if not (np.isfinite(value) and value > 0):
                raise NotPredictableError(
                    f"{name} of {side.name} is {value:g}, which has no logarithm (does it lack a "
                    "class?)"
                )
    return found


def _of_counts(side: Side, classes: Sequence[str]) -> dict[str, float]:
    size = {"size": float(len(side))}
    if side.labels is None:
        return dict.fromkeys(_OF_COUNTS, np.nan) | size
    counts = np.array([side.counts.get(name, 0) for name in classes])
    balance = {f"CB_{q}": float(hill_number(counts.astype(float), ORDERS[q])) for q in ("1", "inf")}
    return {**size, **balance, **label_measures(counts)}


def _labels(side: Side, classes: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Labels as places among the classes; -1 for another one."""
    assert side.labels is not None
    places = np.array([classes.index(c) if c in classes else -1 for c in side.class_names])
    found: np.ndarray = places[side.labels]
    return found


def _members(both: Sequence[Side]) -> list[np.ndarray]:
    return np.split(np.arange(sum(map(len, both))), [len(both[0])])


def _paper(both: list[Side], classes: Sequence[str], word: str) -> dict[str, tuple[float, float]]:
    elements = joined(both)
    similarity = parse_similarity(word, elements)
    elements = pixels_for(similarity, elements)
    labels = np.concatenate([_labels(side, classes) for side in both])
    first, second = (
        features(elements, labels, subset[None], similarity=similarity).iloc[0]
        for subset in _members(both)
    )
    return {name: (float(first[name]), float(second[name])) for name in PAPER_MEASURES}


def _held_out(
    both: list[Side], target: Side | None, classes: Sequence[str], word: str, name: str
) -> dict[str, tuple[float, float]]:
    """What the elements of a target see of both sides; those of classes that neither has do not."""
    if target is None or target.labels is None:
        raise NotPredictableError(f"the study's {name} needs a labelled target, and none is given")
    similarity = parse_similarity(word, joined(both))
    every = [*both, target]
    (block,) = blocks_of(pixels_for(similarity, joined(every)), [similarity])
    labels = np.concatenate([_labels(side, classes) for side in every])
    members = _members(both)
    n = len(members[0]) + len(members[1])
    images = n + np.flatnonzero(labels[n:] >= 0)
    if not len(images):
        raise NotPredictableError(f"{target.name} has no element of a class of either")
    found = []
    for subset in members:
        own = [[(int(c), np.flatnonzero(labels[subset] == c)) for c in np.unique(labels[subset])]]
        step = max(1, _PAIRS_AT_ONCE // len(subset))
        parts = [
            look(block, images[i : i + step], subset, own, labels)
            for i in range(0, len(images), step)
        ]
        seen = Seen(*(np.concatenate(rows, axis=1)[0] for rows in zip(*parts, strict=True)))
        counts = np.bincount(labels[subset], minlength=len(classes))
        found.append(held_out_measures(seen, labels[images], counts))
    return {name: (found[0][name], found[1][name]) for name in found[0]}
