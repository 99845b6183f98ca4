"""Near-duplicates as a table, and groups that two splits share."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.data import Dataset, Split
from lcrjax.data.dataset import KINDS
from lcrjax.numerics.listing import counted, listed
from lcrjax.numerics.streams import Stream, as_stream
from lcrjax.pairwise import intrinsic_dimension, list_close_pairs, nearest_neighbours, nearness
from lcrjax.pairwise.close_pairs import dimension_of
from lcrjax.pairwise.distance_blocks import distances_of, list_close, two_nearest
from lcrjax.similarity import parse_similarity

if TYPE_CHECKING:
    import pandas as pd

#: Kinds of elements that are compared by RMSD, and words for the similarities of the others.
OF_NUMBERS = ("images", "vectors")
_DISTANCES_OF = {"texts": "edit", "rows": "gower"}
#: Kinds of pairs: training elements of one class and of two, and a test with a training element.
PAIRS = ("within", "across", "train-test")
_NAMED = 6


def near_duplicates(
    dataset: Dataset,
    *,
    kinds: Sequence[str] = PAIRS,
    threshold: float | int | None = None,
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> "pd.DataFrame":
    """List the pairs of a dataset's elements that are nearly the same.

    All pairs of training elements are compared, and all of a test and a training element, in
    bounded memory. Images and vectors that `lcrjax.measure` reads in blocks are so read here, too.
    The distance of images and vectors is their RMSD, of pixels in [0, 1] or of components; of texts
    the share of their characters to edit (1 minus `Levenshtein`); of rows of a table 1 minus
    `Gower`'s similarity, by the ranges of the training set, to six decimals.

    Args:
        dataset: Elements of any kind, as `lcrjax.data.load` returns them.
        kinds: Pairs wanted: "within" a class of the training set; "across" classes, those of a test
            and a training element among them; "train-test", of one class or two.
        threshold: Distance up to which elements are near; None for what `lcrjax.pairwise.nearness`
            chooses. 0 lists exact copies; rows that agree where neither lacks a value count so.
        progress: Called with what is being done and which share of that.

    Returns:
        The closest pairs first: `first` and `second`, the names (files, rows, keys) of two
        elements, or their places where they have none; `first_split` and `second_split`, where
        test elements come first; `first_class`, `second_class`; `distance`;
        `first_group`, `second_group`, None where unknown; and `kind`, "train-test" between splits.
        Its `attrs` hold the `threshold`, and `in_blocks`: whether elements were so read.

    Raises:
        ValueError: If a kind or the threshold is none, there is no test set though only pairs with
            one are wanted, or memory does not hold the pairs.
        ImportError: If `rapidfuzz`, which compares texts, is not installed.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.data import from_arrays
        >>> images = np.array([[[0]], [[200]], [[9]], [[9]]], np.uint8)
        >>> data = from_arrays("four", images, ["a", "a", "b", "a"], test_fraction=0)
        >>> pairs = near_duplicates(data, threshold=0.01)
        >>> print(pairs[["first", "second", "first_class", "second_class", "kind"]].values)
        [['2' '3' 'b' 'a' 'across']]
    """
    import pandas as pd

    if not kinds or not set(kinds) <= set(PAIRS):
        raise ValueError(f"the kinds of pairs are {list(kinds)}: give some of {', '.join(PAIRS)}")
    if set(kinds) == {"train-test"} and dataset.test is None:
        raise ValueError(f"{dataset.name} has no test set: ask for pairs within or across classes")
    if threshold is not None and not 0 <= threshold < np.inf:
        raise ValueError(f"the threshold is {threshold}: give a distance of 0 or more")
    dataset, how = _large_in_blocks(dataset)
    train, test = dataset.train, dataset.test
    candidates = np.ones(len(train), bool)
    if threshold is None:
        stage = f"looking for each training {KINDS[dataset.kind]}'s nearest{how}"
        threshold, nearest = _judged(dataset, lambda share: progress(stage, share))
        candidates = nearest <= threshold
    found = []
    if {"within", "across"} & set(kinds):
        stage_of_train = f"listing pairs of training {dataset.kind}{how}"
        show = functools.partial(progress, stage_of_train)
        found.append(_table(dataset, train, *_listed(dataset, train, candidates, threshold, show)))
    if test is not None and {"across", "train-test"} & set(kinds):
        stage_of_test = f"listing pairs of test and training {dataset.kind}{how}"
        show = functools.partial(progress, stage_of_test)
        every = np.ones(len(test), bool)
        found.append(_table(dataset, test, *_listed(dataset, test, every, threshold, show)))
    table = pd.concat(found, ignore_index=True)
    wanted = table["kind"].isin(list(kinds))
    if "across" in kinds:
        wanted |= table["first_class"] != table["second_class"]
    table = table[wanted].sort_values("distance", kind="stable", ignore_index=True)
    table.attrs |= {"threshold": float(threshold), "in_blocks": bool(how)}
    return table


def _large_in_blocks(dataset: Dataset) -> tuple[Dataset, str]:
    """The dataset with what is large and on disk as streams, and words that say so."""
    if dataset.kind not in OF_NUMBERS:
        return dataset, ""

    def read(split: Split) -> Split:
        return replace(split, elements=as_stream(split.elements))

    train, test = read(dataset.train), dataset.test and read(dataset.test)
    streamed = any(isinstance(part.elements, Stream) for part in (train, test) if part)
    return replace(dataset, train=train, test=test), ", read in blocks" * streamed


def _judged(
    dataset: Dataset, show: Callable[[float], None]
) -> tuple[float, Float[np.ndarray, " n"]]:
    """From what distance on training elements are near, and each one's from its nearest."""
    elements = dataset.train.elements
    if dataset.kind in OF_NUMBERS:
        near = nearest_neighbours(elements, dataset.train_labels, progress=show)
        nearest = np.minimum(near[0].rmsd, near[1].rmsd)
        return nearness(nearest, intrinsic_dimension(elements)).threshold, nearest
    distances = distances_of(_similarity(dataset), elements)
    nearest, second = two_nearest(distances, len(elements), progress=show)
    return nearness(nearest, dimension_of(nearest, second)).threshold, nearest


def _listed(
    dataset: Dataset,
    split: Split,
    candidates: Bool[np.ndarray, " n"],
    threshold: float | int,
    show: Callable[[float], None],
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Near pairs of some elements of a split with training elements, those of this each other."""
    own, others = split.elements, None if split is dataset.train else dataset.train.elements
    if dataset.kind in OF_NUMBERS:
        return list_close_pairs(own, candidates, threshold, others, progress=show)
    distances = distances_of(_similarity(dataset), own, others, most=threshold)
    places = None if others is None else np.arange(len(others))
    return list_close(distances, np.flatnonzero(candidates), places, threshold, progress=show)


def _similarity(dataset: Dataset) -> Any:
    """That of which the distances of texts and of rows are; of rows with the training ranges."""
    return parse_similarity(_DISTANCES_OF[dataset.kind], dataset.train.elements)


def _table(
    dataset: Dataset,
    split: Split,
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    distance: Float[np.ndarray, " p"],
) -> "pd.DataFrame":
    """The table of pairs of elements of a split with training elements."""
    import pandas as pd

    names = np.array(dataset.class_names, object)
    ends = {"first": (split, first), "second": (dataset.train, second)}
    own = split.labels[first] == dataset.train.labels[second]
    between = split is not dataset.train
    columns: dict[str, Any] = {
        end: [part.name_of(i) for i in at.tolist()] for end, (part, at) in ends.items()
    }
    columns |= {
        f"{end}_split": ["train" if part is dataset.train else "test"] * len(at)
        for end, (part, at) in ends.items()
    }
    columns |= {f"{end}_class": names[part.labels[at]] for end, (part, at) in ends.items()}
    columns |= {"distance": distance}
    columns |= {
        f"{end}_group": [None] * len(at) if part.groups is None else part.groups[at].astype(object)
        for end, (part, at) in ends.items()
    }
    kind = np.full(len(first), "train-test") if between else np.where(own, "within", "across")
    return pd.DataFrame(columns | {"kind": kind.astype(object)})


def group_leak(dataset: Dataset) -> str | None:
    """Say which groups are in both splits, and how many test elements that concerns."""
    shared, test = dataset.shared_groups, dataset.test
    if test is None or not shared:
        return None
    count = int(np.isin(np.asarray(test.groups).astype(str), shared).sum())
    groups = f"{counted(len(shared), 'group')} {'is' if len(shared) == 1 else 'are'}"
    return (
        f"{groups} in both training and test ({listed(shared, _NAMED)}), "
        f"with {count:,} of {len(test):,} test {dataset.kind}: "
        "scores on this test set are too good."
    )
