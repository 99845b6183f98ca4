"""Near-duplicates that a page shows: the closest pairs, no image twice."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lcrjax.data import Dataset
from lcrjax.pairwise import Neighbours
from lcrjax.report.page.measured import PARTS, Measured
from lcrjax.report.page.rendering import data_uri

#: Pairs shown of a kind, and where none is near, of the closest ones.
SHOWN, SHOWN_ANYWAY = 12, 4


class Pair(NamedTuple):
    """Two images: place, split and class of each, and how far they are apart.

    Attributes:
        first: Index of the first, a training image unless `first_split` says otherwise.
        second: Index of the second, a training image.
        first_split: "train" or "test".
        first_class: Class of the first.
        second_class: Class of the second.
        rmsd: Root-mean-squared difference of pixels in [0, 1].
        near: Whether they count as near-duplicates.
    """

    first: int
    second: int
    first_split: str
    first_class: int
    second_class: int
    rmsd: float
    near: bool


def closest_pairs(
    dataset: Dataset, kinds: Sequence[tuple[Neighbours, str]], measured: Measured
) -> list[Pair]:
    """Choose the closest pairs of images and their nearest ones.

    Args:
        dataset: Where they are from.
        kinds: Nearest training images of the images of a split that are looked at, and which:
            "train" or "test".
        measured: Which images are looked at, and the RMSD of near-duplicates.

    Returns:
        Near-duplicates, at most `SHOWN`; or if there are none, `SHOWN_ANYWAY` of the closest.
        The closest come first; within a kind no image comes twice.
    """
    found = [pair for kind in kinds for pair in _closest(dataset, *kind, measured)]
    found.sort(key=lambda pair: pair.rmsd)
    near = [pair for pair in found if pair.near]
    return near[:SHOWN] or found[:SHOWN_ANYWAY]


def pair_table(pairs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Write pairs as the address of a CSV file that the page carries within itself.

    Args:
        pairs: By kind, pictured pairs: a `pair`, names and classes of its `first` and `second`.
    """
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["kind", "split", "first", "class", "second", "class of second", "rmsd", "near"])
    for kind, items in pairs.items():
        for item in items:
            pair, first, second = item["pair"], item["first"]["name"], item["second"]["name"]
            lines.writerow(
                [kind, pair.first_split, first, item["first_class"], second, item["second_class"],
                 f"{pair.rmsd:.6g}", "yes" if pair.near else "no"]
            )  # fmt: skip
    return data_uri("text/csv", text.getvalue().encode())


def _closest(
    dataset: Dataset, neighbours: Neighbours, split: str, measured: Measured
) -> Iterator[Pair]:
    part = dataset.train if split == "train" else dataset.test
    if part is None:
        return
    labels, places = part.labels, measured.rows if split == "train" else measured.tests
    used: set[tuple[str, int]] = set()
    for place in np.argsort(neighbours.rmsd, kind="stable"):
        i = int(places[place])
        j, rmsd = int(neighbours.index[place]), float(neighbours.rmsd[place])
        ends = {(split, i), ("train", j)}
        if j < 0 or len(used) >= 2 * SHOWN:
            return
        if not ends & used:
            used |= ends
            classes = int(labels[i]), int(dataset.train_labels[j])
            yield Pair(i, j, split, *classes, rmsd, rmsd <= measured.threshold)


def counts(measured: Measured) -> list[dict[str, float | None]]:
    """Count near-duplicates at several parts of the threshold, exact copies first.

    Returns:
        For each part its distance `rmsd`; pairs of training images of one class (`within`) and of
        two (`across`) at most so far apart, None where not all pairs are compared; training images
        with another one so near (`train`), and test images with a training image so near (`test`),
        and with one of another class (`test_across`).
    """
    none = [None] * len(PARTS)
    within = none if measured.pairs_within is None else measured.pairs_within.tolist()
    across = none if measured.pairs_across is None else measured.pairs_across.tolist()
    pairs = zip(PARTS, within, across, strict=True)
    return [
        {
            "rmsd": (limit := part * measured.threshold),
            "within": within,
            "across": across,
            "train": int(np.sum(measured.train_rmsd <= limit)),
            "test": int(np.sum(measured.test_rmsd <= limit)),
            "test_across": int(np.sum(measured.test_across <= limit)),
        }
        for part, within, across in pairs
    ]
