"""Test sets from a source of their own."""

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError


def with_test_set(dataset: Dataset, other: Dataset) -> Dataset:
    """Give a dataset another one, without test set, as its test set.

    Classes are matched by name. A test set that `dataset` has is left out, which a note says.

    Raises:
        DataError: If `other` has a test set too, a class that `dataset` lacks, or elements of
            another kind or shape.
    """
    if other.test is not None:
        raise DataError(
            f"{other.name} is to be the test set but has one of its own: give that part alone."
        )
    if unknown := [name for name in other.class_names if name not in dataset.class_names]:
        raise DataError(
            f"the test set {other.name} has the class {unknown[0]!r}, of which {dataset.name} has "
            f"no training element ({', '.join(dataset.class_names[:10])}): rename or drop it."
        )
    notes = [f"The test set is {other.name}: {len(other.train):,} {other.kind}."]
    if dataset.test is not None:
        notes.append(f"The test set that {dataset.name} has was left out.")
    parts = {"train": (dataset, dataset.train), "test": (other, other.train)}
    arrays = [
        array
        for whole, split in parts.values()
        for array in (split.elements, np.array(whole.class_names)[split.labels])
    ]
    strings = {
        f"{part}_{what}": getattr(split, what)
        for part, (_, split) in parts.items()
        for what in ("names", "groups")
    }
    return from_arrays(
        dataset.name,
        *arrays,
        class_names=dataset.class_names,
        source=f"{dataset.source}; test set: {other.source}",
        licence=dataset.licence,
        notes=(*dataset.notes, *other.notes, *notes),
        **strings,
    )
