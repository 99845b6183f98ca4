"""Names of classes, and groups out of elements' names, given by hand."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from lcrjax.data.dataset import Dataset, Split
from lcrjax.data.errors import DataError
from lcrjax.numerics.listing import counted, listed

_SHOWN = 6


def rename_classes(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Call a dataset's classes by other names, in the order of its own.

    Raises:
        DataError: If there are not as many, two are equal, or one is the name of another class.
    """
    names, own = tuple(map(str, names)), dataset.class_names
    shown = listed(own, _SHOWN)
    if len(names) != len(own):
        raise DataError(
            f"{dataset.name} has {counted(len(own), 'class', 'classes')} ({shown}), but "
            f"{counted(len(names), 'name')} for them: give one for each, in this order."
        )
    if len(set(names)) < len(names) or not all(names):
        raise DataError(f"the class names {', '.join(names)} are not all distinct: make them so.")
    moved = [name for name, before in zip(names, own, strict=True) if name != before]
    if mixed := [name for name in moved if name in own]:
        raise DataError(
            f"{mixed[0]!r} is given as name of class {own[names.index(mixed[0])]!r}, but is the "
            f"name of another: the classes are {shown}, give names in this order."
        )
    return dataclasses.replace(dataset, class_names=names)


def group_by_pattern(dataset: Dataset, pattern: str) -> Dataset:
    r"""Group elements by what a pattern finds in their names, such as `patient(\d+)`.

    The group is what the pattern's first parentheses enclose, or all that it matches.

    Raises:
        DataError: If it is no regular expression, elements have groups or no names, or a name does
            not match.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise DataError(
            f"group_pattern {pattern!r} is no regular expression ({error}): mend it."
        ) from error
    return dataclasses.replace(
        dataset,
        train=_grouped(dataset.train, compiled, dataset.name),
        test=None if dataset.test is None else _grouped(dataset.test, compiled, dataset.name),
    )


def _grouped(split: Split, pattern: re.Pattern[str], name: str) -> Split:
    if split.groups is not None:
        raise DataError(f"{name} has groups already: leave group_pattern out.")
    if split.names is None:
        raise DataError(f"the elements of {name} have no names: leave group_pattern out.")
    found = [pattern.search(str(each)) for each in split.names]
    if missed := [str(n) for n, match in zip(split.names, found, strict=True) if not match]:
        raise DataError(
            f"group_pattern {pattern.pattern!r} does not occur in {counted(len(missed), 'name')}, "
            f"the first {missed[0]!r}: give one that all names match."
        )
    groups = [match[1 if pattern.groups else 0] or "" for match in found if match]
    return dataclasses.replace(split, groups=np.array(groups))
