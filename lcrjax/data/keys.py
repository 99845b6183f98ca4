"""Archives of named arrays: which of them are elements, labels, names and groups."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.classes import UNLABELLED
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.options import Options
from lcrjax.data.split_names import SPLITS, split_of
from lcrjax.data.text import as_text
from lcrjax.numerics.streams import Stream

#: What arrays are called, by what they are; of several present the first goes.
_ROLES = {
    "elements": (
        *("images", "image", "imgs", "x", "data", "features", "embeddings", "embedding"),
        *("vectors", "texts", "text", "inputs"),
    ),
    "labels": ("labels", "label", "y", "targets", "target", "ans"),
    "names": ("names", "filenames", "file_names", "files", "paths", "ids"),
    "groups": ("groups", "group", "patients", "patient_ids", "subjects", "sites"),
    "class_names": (
        *("class_names", "classnames", "target_names", "label_names", "classes"),
        *("list_classes", "categories"),
    ),
}
_WHAT = {word: role for role, words in _ROLES.items() for word in words}
_SPLIT, _ROLE = (rf"({'|'.join(words)})" for words in (SPLITS, _WHAT))
#: train_images, test_set_y, val/labels; x_train, ytest; images
_KEYS = [
    re.compile(form)
    for form in (rf"{_SPLIT}(?:_set)?_?{_ROLE}", rf"{_ROLE}_?{_SPLIT}(?:_set)?", _ROLE)
]
_PAIR = {"elements": "images", "labels": "labels"}
_USUAL = (
    "it needs train_images, train_labels, test_images, test_labels, or images and labels, or pairs "
    "such as x_train and y_train, X and y, data and target, features and labels"
)


def choose_keys(
    where: str, found: Collection[str], labelled: bool = True
) -> dict[tuple[str, str], str]:
    """Choose among the names of arrays those that make a dataset.

    Args:
        where: What errors call the archive.
        found: Names of all its arrays.
        labelled: Whether labels must be among them.

    Returns:
        The name for each (split, role): split "train" or "test", or "" for class names; role a key
        of `_ROLES`. Validation arrays serve as test set where there is no other.

    Raises:
        DataError: If elements or labels are not among them.
    """
    meant: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for key in found:
        if meaning := _meaning(key):
            split, role, rank = meaning
            meant.setdefault((split, role), []).append((rank, key))
    best = {place: min(keys)[1] for place, keys in meant.items()}
    splits = {split for split, role in best if role in ("elements", "labels")}
    whole = {"elements", "labels"} <= {role for split, role in best if not split}
    trained = {"elements", "labels"} <= {role for split, role in best if split == "train"}
    train = "train" if trained or (splits - {""} and not whole) else ""
    if not labelled and (train, "labels") not in best:
        splits = set()  # elements alone: those of training, or of nobody says what
    test = next((s for s in ("test", "validation") if s in splits), None)
    chosen = {("train", role): key for (split, role), key in best.items() if split == train}
    chosen |= {("test", role): key for (split, role), key in best.items() if split == test}
    wanted = [(s, role) for s in ("train", "test")[: 1 + bool(test)] for role in _PAIR]
    wanted = [place for place in wanted if labelled or place != ("train", "labels")]
    if missing := [place for place in wanted if place not in chosen]:
        sides = {"train": "train_" if train else "", "test": f"{test}_"}
        lacking = ", ".join(sides[split] + _PAIR[role] for split, role in missing)
        held = ", ".join(sorted(found)[:12]) or "no arrays"
        raise DataError(f"{where} holds {held} but lacks {lacking}: {_USUAL}.")
    chosen = {place: key for place, key in chosen.items() if place[1] != "class_names"}
    if named := [key for (_, role), key in best.items() if role == "class_names"]:
        chosen["", "class_names"] = named[0]
    return chosen


def _meaning(key: str) -> tuple[str, str, int] | None:
    """Split, role and rank among the role's words of an array's name."""
    plain = re.sub(r"[^0-9a-z]+", "_", key.casefold()).strip("_")
    match = next(filter(None, (form.fullmatch(plain) for form in _KEYS)), None)
    if match is None:
        return None
    word = next(part for part in match.groups() if part in _WHAT)
    split = next((part for part in map(split_of, match.groups()) if part), "")
    return split, _WHAT[word], _ROLES[_WHAT[word]].index(word)


class Keyed(NamedTuple):
    """Arrays by split and role, as `choose_keys` numbers them, and names of those left out."""

    arrays: dict[tuple[str, str], Any]
    left: list[str]


def read_keyed(
    where: str,
    found: Collection[str],
    read: Callable[[Sequence[str]], Sequence[Any]],
    labelled: bool = True,
) -> Keyed:
    """Read those arrays of an archive that make a dataset.

    Args:
        where: What errors call the archive.
        found: Names of all its arrays.
        read: Reads those of some names.
        labelled: Whether labels must be among them.

    Raises:
        DataError: If the usual names are not among them, or a text is none.
    """
    keys = choose_keys(where, found, labelled)
    arrays = dict(zip(keys, read(list(keys.values())), strict=True))
    for place, array in arrays.items():
        if not isinstance(array, Stream):
            arrays[place] = as_text(array, f"{keys[place]} in {where}")
    if (names := arrays.get(("", "class_names"))) is not None and names.ndim != 1:
        raise DataError(
            f"{keys['', 'class_names']} in {where} has the shape {names.shape}: "
            "give one name per class."
        )
    return Keyed(arrays, sorted(set(found) - set(keys.values())))


def from_keyed(path: Path, keyed: Keyed, options: Options, **facts: Any) -> Dataset:
    """Make a dataset of arrays that `read_keyed` read; `facts` as `from_arrays` takes them."""
    get = keyed.arrays.get
    facts = {"name": path.stem, "source": f"the file {path.name}"} | facts
    labels = get(("train", "labels"))
    if labels is None:
        labels = np.repeat(UNLABELLED, len(keyed.arrays["train", "elements"]))
    elif (names := get(("", "class_names"))) is not None:
        facts.setdefault("class_names", tuple(map(str, names)))
    for split in ("train", "test"):
        for role in ("names", "groups"):
            if (column := get((split, role))) is not None:
                facts[f"{split}_{role}"] = list(map(str, column.ravel()))
    if keyed.left:
        facts["notes"] = [f"Arrays left out: {', '.join(keyed.left[:12])}."]
    return from_arrays(
        facts.pop("name"),
        get(("train", "elements")),
        labels,
        get(("test", "elements")),
        get(("test", "labels")),
        **facts | options.of_arrays(),
    )
