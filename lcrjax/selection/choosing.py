"""Choosing elements from a pool: checks, classes, and the course of an objective in each."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.measures.labels import numbered
from lcrjax.numerics.pixels import check_pixels
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.whole_numbers import check_seed, is_whole
from lcrjax.pairwise.columns import Columns, joined
from lcrjax.pairwise.streamed_pool import pool_of
from lcrjax.pairwise.streams import probe
from lcrjax.selection.greedy import choose, exchange
from lcrjax.selection.objectives.base import Course, Draw, Objective
from lcrjax.selection.objectives.words import as_objective
from lcrjax.selection.outcome import Selection
from lcrjax.selection.quotas import BALANCES, quotas
from lcrjax.selection.scale import usual_similarity
from lcrjax.similarity import RMSD, Precomputed
from lcrjax.similarity.base import count_elements, taken
from lcrjax.similarity.in_blocks import large_as_stream
from lcrjax.similarity.spec import as_similarity


def select(
    elements: Any,
    size: int,
    labels: Any = None,
    *,
    similarity: Any = None,
    objective: Any = "auto",
    balance: Any = "balanced",
    given: Any = None,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Selection:
    """Choose the elements that are worth most together: to label, to keep, or to add.

    Memory holds the elements and a few columns of Z, never all pairs; time grows with n² for the
    ordinariness of n elements (in each class, where there are labels) and with n for each choice.
    Of elements that are read in blocks, classes are brought into memory one after the other; those
    above 256 MiB, and pools without labels, stay on disk, and most choices read them once more.

    Args:
        elements: n elements to choose from: images, vectors such as embeddings, texts, or whatever
            the similarity compares. A `lcrjax.Stream` of them, or what `lcrjax.measure` reads in
            blocks, is so read.
        size: How many to choose, 1 to n.
        labels: Their classes, one each; None where they are not known.
        similarity: As `lcrjax.measure` takes it; None for `usual_similarity`, whose scale tells
            elements of one class apart (the paper's is too flat for that).
        objective: An `Objective`, or a word: "auto" (what did best in trained models: kernel
            herding), "herding", "facility-location[:EPSILON]", "coverage[:Q]", "k-centre",
            "A_Q[:FLOOR]", "G_Q[:FLOOR]", "random".
        balance: "balanced", "proportional", "free", or how many of each class, a list or by name;
            see `quotas`. Without labels it says nothing.
        given: Elements that are there already and stay: what is chosen adds to them. With labels a
            tuple (elements, labels).
        seed: Of random choices, which "random" makes, and "facility-location:0.01" where it does
            not look at all elements.
        progress: Called with the share of all choices that are made; what it raises ends the work.

    Returns:
        A `Selection`: indices in the order chosen, the objective after each, and the diversities of
        pool and selection, computed when they are asked for.

    Raises:
        ValueError: If the size is not 1 to n, a class is too small for its share (it is named), the
            objective or balance is unknown, elements that are given have another shape or lack
            labels, or the similarity is not symmetric.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.selection import select
        >>> line = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [9.9]])
        >>> print(select(line, 2, similarity="laplacian:1").indices)
        [4 1]
        >>> print(select(line, 1, similarity="laplacian:1", given=line[:3]).indices)
        [4]
    """
    check_seed(seed)
    aim = as_objective(objective, seed)
    others, other_labels = _given(given, labels is not None)
    relation, elements, others = _relation(similarity, elements, others)
    n = count_elements(relation, elements)
    _check_size(size, n)
    pool = pool_of(relation, joined(elements, others))
    names, classes, there = None, np.zeros(len(pool), np.int64), np.arange(n, len(pool))
    if labels is None and not (isinstance(balance, str) and balance in BALANCES):
        quotas(size, balance, np.array([n]), np.array([0]), ("all",))
    wanted = None
    if labels is not None:
        names, classes = _classes(labels, n, other_labels, len(there))
        own, its = (np.bincount(x, minlength=len(names)) for x in (classes[:n], classes[n:]))
        wanted = quotas(size, balance, own, its, names)
    made = itertools.count(1)
    total = size * (2 if aim.exchanged else 1)  # before exchange and after
    chosen, values = _chosen(
        aim, pool, size, classes, wanted, there, lambda: progress(min(1.0, next(made) / total))
    )
    return Selection(
        indices=np.array(chosen, np.int64),
        values=np.array(values),
        counts=None if names is None else np.bincount(classes[chosen], minlength=len(names)),
        class_names=names,
        objective=aim,
        similarity=pool.similarity if isinstance(relation, Precomputed) else relation,
        elements=elements,
        labels=None if names is None else np.array(names)[classes[:n]],
        given=others,
    )


def _chosen(
    aim: Objective,
    pool: Columns,
    size: int,
    classes: Int[np.ndarray, " m"],
    wanted: Int[np.ndarray, " C"] | None,
    there: Int[np.ndarray, " g"],
    tell: Callable[[], None],
) -> tuple[list[int], list[float]]:
    """Choose from each class apart, or from all together with room for each class."""
    if wanted is None:
        wanted, classes = np.array([size]), np.zeros_like(classes)
    if not aim.by_class:
        return _from(aim, pool, there, classes, wanted, tell)
    orders, courses = [], []
    own_places = [np.flatnonzero(classes == c) for c in np.flatnonzero(wanted)]
    for c, places, own in zip(
        np.flatnonzero(wanted), own_places, pool.parts(own_places), strict=True
    ):
        given, count = np.flatnonzero(np.isin(places, there)), int(wanted[c])
        found, values = _from(aim, own, given, places * 0, np.array([count]), tell)
        orders.append(
            [((k + 0.5) / count, int(c), i) for k, i in enumerate(places[found].tolist())]
        )
        courses.append((count, values))
    turns = sorted(turn for order in orders for turn in order)
    return [i for _, _, i in turns], _means(
        turns, dict(zip(np.flatnonzero(wanted).tolist(), courses, strict=True))
    )


def _means(
    turns: list[tuple[float, int, int]], courses: dict[int, tuple[int, list[float]]]
) -> list[float]:
    """The mean of the classes' values after each turn, weighted by what is chosen in the end."""
    done: dict[int, int] = {}
    out = []
    for _, c, _ in turns:
        done[c] = done.get(c, 0) + 1
        weights = [courses[k][0] for k in done]
        out.append(
            float(np.average([courses[k][1][m - 1] for k, m in done.items()], weights=weights))
        )
    return out


def _from(
    aim: Objective,
    pool: Columns,
    there: Int[np.ndarray, " g"],
    classes: Int[np.ndarray, " m"],
    wanted: Int[np.ndarray, " C"],
    tell: Callable[[], None],
) -> tuple[list[int], list[float]]:
    """Choose from one class, or from everything."""
    target = np.full(len(pool), 1 / len(pool))
    allowed = aim.allowed(pool, target)
    allowed[there] = False
    lacking = wanted > np.bincount(classes[allowed], minlength=len(wanted))
    if lacking.any():
        raise ValueError(
            f"{aim} leaves {int(allowed.sum())} elements to choose {wanted.sum()} from: "
            "choose fewer, or lower the floor"
        )
    course = _begun(aim, pool, target, there)
    draw = aim.draw(int(allowed.sum()), int(wanted.sum()))
    chosen, values = _run(course, allowed, classes, wanted, tell, draw)
    if aim.exchanged and len(chosen) > 1:
        free = allowed.copy()
        free[chosen] = False
        kept = np.zeros(len(pool), bool)
        kept[exchange(course, chosen, free, classes)] = True
        course = _begun(aim, pool, target, there)
        chosen, values = _run(course, kept, classes, wanted, tell)
    return chosen, values


def _begun(
    aim: Objective, pool: Columns, target: Float[np.ndarray, " m"], there: Int[np.ndarray, " g"]
) -> Course:
    course = aim.begin(pool, target)
    for i in there.tolist():
        course.add(i)
    return course


def _run(
    course: Course,
    allowed: Bool[np.ndarray, " m"],
    classes: Int[np.ndarray, " m"],
    wanted: Int[np.ndarray, " C"],
    tell: Callable[[], None],
    draw: Draw | None = None,
) -> tuple[list[int], list[float]]:
    free, left = allowed.copy(), wanted.copy()

    def take(i: int) -> None:
        free[i] = False
        left[classes[i]] -= 1
        tell()

    def open_to() -> Bool[np.ndarray, " m"]:
        # The classes that lag most behind their share, so that each prefix is balanced.
        share = np.where(wanted > 0, left / np.maximum(wanted, 1), -1)
        return free & (share >= share.max() - 1e-12)[classes]

    return choose(course, int(wanted.sum()), open_to, take, draw)


def _relation(similarity: Any, elements: Any, others: Any) -> tuple[Any, Any, Any]:
    elements = large_as_stream(RMSD() if similarity is None else similarity, elements)
    if similarity is None:
        similarity, elements = usual_similarity(elements)
    relation, elements, others = as_similarity(similarity, elements, others)
    streamed = isinstance(elements, Stream)
    elements = elements if streamed else taken(relation, elements)
    others = None if others is None else taken(relation, others, "given")
    if isinstance(relation, RMSD):
        check_pixels(probe(elements).rows if streamed else elements)
    return relation, elements, others


def _given(given: Any, labelled: bool) -> tuple[Any, Any]:
    if given is None:
        return None, None
    pair = isinstance(given, tuple) and len(given) == 2
    if labelled and not pair:
        raise ValueError("what is given has no labels: give a tuple (elements, labels)")
    return given if labelled else (given, None)


def _check_size(size: Any, n: int) -> None:
    if not is_whole(size) or not 1 <= size <= n:
        raise ValueError(f"the size is {size!r}: give a whole number from 1 to {n:,}, the pool's")


def _classes(
    labels: Any, n: int, other_labels: Any, m: int
) -> tuple[tuple[str, ...], Int[np.ndarray, " k"]]:
    names, classes = numbered(labels)
    if len(classes) != n:
        raise ValueError(f"there are {n} elements and {len(classes)} labels: give one each")
    if other_labels is None:
        return names, np.asarray(classes, np.int64)
    its, found = numbered(other_labels)
    if len(found) != m:
        raise ValueError(f"{m} elements and {len(found)} labels are given: give one each")
    unknown = [name for name in its if name not in names]
    if unknown:
        raise ValueError(
            f"class {unknown[0]!r} is given, and the pool has none of it: leave it out, or choose "
            "without labels"
        )
    places = np.array([names.index(name) for name in its])
    return names, np.concatenate([classes, places[found]]).astype(np.int64)
