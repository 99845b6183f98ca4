"""Measures that are added to a study: name and meaning of each, and the rule of their columns."""

import math
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from lcrjax.similarity.spec import FORMS, check_similarity
from lcrjax.study.columns import FEATURES

#: Orders of cross-diversity, and how columns call them.
CROSS_ORDERS = {"0": 0.0, "1": 1.0, "2": 2.0, "inf": math.inf}
#: Whose similarity to an image counts in a cross-diversity.
_CROSSED = {
    "cross": "all members, in shares of the subset",
    "own_cross": "members of the image's own class, in shares of the subset",
    "class_cross": "members of the image's own class, in shares of these",
}

#: Of images that a subset lacks, against the subset. In a balanced one each class of these images
#: weighs the same, as in balanced accuracy; in the others each image.
HELD_OUT_MEASURES: dict[str, str] = {
    **{
        f"{weights}{kind}_{q}": f"cross-diversity of order {q}: {said}"
        for weights in ("", "balanced_")
        for kind, said in _CROSSED.items()
        for q in CROSS_ORDERS
    },
    "own_signal": "similar members of an image's own class per square root of the subset's size, "
    "balanced geometric mean",
    "signal_to_noise": "the same per square root of similar members of any class",
    "facility_location": "mean of an image's largest similarity to a member",
    "own_facility_location": "the same to a member of its own class",
    "mmd": "maximum mean discrepancy of the subset and the images",
    "nn_bacc": "balanced accuracy of the nearest member's class",
    "kernel_bacc": "balanced accuracy of the class whose members are most alike on average",
}
#: Of a subset's labels alone: their columns have no similarity in brackets.
LABEL_MEASURES: dict[str, str] = {
    "class_signal": "geometric mean of the class counts per square root of the size, half a member "
    "added to each class: own_signal, all images taken to be alike",
}
#: Of a subset alone, besides the paper's.
INSIDE_MEASURES: dict[str, str] = {
    "vendi_2": "Vendi score of order 2",
    "magnitude": "magnitude of the similarity matrix",
}
#: The paper's that depend on a similarity.
PAPER_MEASURES: tuple[str, ...] = tuple(
    name for name in FEATURES if name not in ("CB_1", "CB_inf", "size")
)
#: Everything that is measured with each similarity.
MEASURES: tuple[str, ...] = (*PAPER_MEASURES, *INSIDE_MEASURES, *HELD_OUT_MEASURES)

_COLUMN = re.compile(r"(\w+)\[(.+)\]")


def similarity_words(given: Iterable[str]) -> tuple[str, ...]:
    """Check the words of similarities to measure subsets with, and name each once.

    Raises:
        ValueError: If one is no word for a similarity, or is a matrix.
    """
    words = tuple(dict.fromkeys(word.strip() for word in given))
    for word in words:
        check_similarity(word)
        if word.startswith("file:"):
            known = ", ".join(form for form in FORMS if not form.startswith("file:"))
            raise ValueError(f"{word!r} is a matrix, which has no subsets: give one of {known}")
    return words


def column_of(measure: str, similarity: str) -> str:
    """Name the column of a measure with a similarity in one word.

    Example:
        >>> column_of("A_0", "rmsd:10")
        'A_0[rmsd:10]'
    """
    return f"{measure}[{similarity}]"


def split_column(name: str) -> tuple[str, str | None]:
    """Tell a column's measure and its similarity, None where it is one of the study's table."""
    found = _COLUMN.fullmatch(name)
    return (found[1], found[2]) if found else (name, None)


def added_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Those columns of a table that follow the rule, in their order."""
    return tuple(name for name in table.columns if _COLUMN.fullmatch(str(name)))


def candidates(table: pd.DataFrame) -> tuple[str, ...]:
    """Features that a regression over a table can choose from.

    Returns:
        The 27, and of the added columns those that are above 0 in every row; of several that hold
        the same numbers (the nearest member is the same at every scale) the first.
    """
    kept: list[str] = []
    seen: set[bytes] = set()
    for name in added_columns(table):
        values = table[name].to_numpy(float)
        if not (values > 0).all() or values.tobytes() in seen:
            continue
        seen.add(values.tobytes())
        kept.append(name)
    return (*FEATURES, *kept)


def chosen(table: pd.DataFrame, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Features that a user asks for: names of columns, and similarities, for all of their columns.

    Args:
        table: A study's table.
        wanted: Such as `size`, `A_0[rmsd:10]` or `rmsd:10`; None for all `candidates`.

    Raises:
        ValueError: If a word is neither.
    """
    known = candidates(table)
    if wanted is None:
        return known
    found: dict[str, None] = {}
    for word in wanted:
        of_it: Iterable[str] = [name for name in known if name.endswith(f"[{word}]")]
        if not of_it and word not in table.columns:
            raise ValueError(
                f"the table has no column {word!r} and nothing measured with such a similarity: "
                "lcrjax measure-study adds it"
            )
        found |= dict.fromkeys(of_it or [word])
    return tuple(found)
