"""Measurements on a dataset's page: all pairs of images compared exactly."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from lcrjax.data import Dataset
from lcrjax.measures.labelled import labelled_diversity
from lcrjax.measures.result import Diversity
from lcrjax.pairwise import (
    Nearness,
    Neighbours,
    count_close_pairs,
    intrinsic_dimension,
    nearest_neighbours,
    nearness,
    ordinariness,
)
from lcrjax.report.figures.profiles import PROFILE_ORDERS

#: Told what is being done, and which share of it.
Progress = Callable[[str, float], None]
#: Viewpoints of the tables; profiles have more.
VIEWPOINTS: tuple[float, ...] = (0.0, 1.0, 2.0, np.inf)
#: Parts of the threshold at which pairs are counted, too.
PARTS: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """What all pairs of a dataset's images say.

    Attributes:
        diversity: Of the training images, at the viewpoints of tables and profiles, ascending.
        own: Mean similarity of each training image to those of its class, itself among them.
        test_own: The same of each test image to the other test images of its class.
        test_in_own: Mean similarity of each test image to the training images of its class.
        test: Mean similarity of each test image to all test images.
        test_in: Mean similarity of each test image to all training images.
        train_near: Nearest other training images, of the same and of another class.
        test_near: Nearest training images of the test images, likewise.
        nearness: From what distance on images are near-duplicates.
        pairs_within: Pairs of training images of one class at most `PARTS` of that far apart.
        pairs_across: Pairs of two classes.
    """

    diversity: Diversity
    own: Float[np.ndarray, " n"]
    test_own: Float[np.ndarray, " t"]
    test_in_own: Float[np.ndarray, " t"]
    test: Float[np.ndarray, " t"]
    test_in: Float[np.ndarray, " t"]
    train_near: tuple[Neighbours, Neighbours]
    test_near: tuple[Neighbours, Neighbours]
    nearness: Nearness
    pairs_within: Int[np.ndarray, " parts"]
    pairs_across: Int[np.ndarray, " parts"]

    def at(self, q: float | int) -> int:
        """Place of one of `VIEWPOINTS` among those of `diversity`."""
        return int(np.flatnonzero(np.asarray(self.diversity.q) == q)[0])

    @property
    def train_rmsd(self) -> Float[np.ndarray, " n"]:
        """RMSD of each training image to the nearest other one of any class."""
        return np.minimum(*(kind.rmsd for kind in self.train_near))

    @property
    def test_rmsd(self) -> Float[np.ndarray, " t"]:
        """RMSD of each test image to the nearest training image of any class."""
        return np.minimum(*(kind.rmsd for kind in self.test_near))


def measure_dataset(dataset: Dataset, progress: Progress = lambda stage, share: None) -> Measured:
    """Compare all images of a dataset: training with training, test with training and with test.

    Args:
        dataset: Its images, as `lcrjax.data.load` returns them. Without a test set what concerns
            one is empty.
        progress: Told how far this is.
    """
    images, labels = dataset.train_images, dataset.train_labels
    test_split = dataset.test or dataset.train.take(np.empty(0, np.int64))
    tests, test_labels = test_split.elements, test_split.labels
    progress("comparing training images", 0.0)
    train = _class_sums(images, images, labels, dataset.n_classes)
    progress("measuring diversity at all viewpoints", 0.0)
    viewpoints = tuple(sorted({*VIEWPOINTS, *PROFILE_ORDERS}))
    diversity = labelled_diversity(train, labels.astype(np.int32), dataset.class_names, viewpoints)
    stage = "looking for each training image's nearest"
    progress(stage, 0.0)
    near = nearest_neighbours(images, labels, progress=lambda share: progress(stage, share))
    test_in = test = np.empty((0, dataset.n_classes), np.float32)
    none = Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
    test_near = (none, none)
    if len(tests):
        progress("comparing test images with training images", 0.0)
        test_in = _class_sums(tests, images, labels, dataset.n_classes)
        test = _class_sums(tests, tests, test_labels, dataset.n_classes)
        test_stage = "looking for each test image's nearest"
        progress(test_stage, 0.0)
        test_near = nearest_neighbours(
            tests, test_labels, images, labels, progress=lambda share: progress(test_stage, share)
        )
    progress("counting near-duplicates", 0.0)
    rmsd = np.minimum(near[0].rmsd, near[1].rmsd)
    judged = nearness(rmsd, intrinsic_dimension(images))
    counts = count_close_pairs(
        images, labels, rmsd <= judged.threshold, [part * judged.threshold for part in PARTS]
    )
    return Measured(
        diversity=diversity,
        own=_own(train, labels, labels),
        test_own=_own(test, test_labels, test_labels),
        test_in_own=_own(test_in, test_labels, labels),
        test=test.sum(axis=1),
        test_in=test_in.sum(axis=1),
        train_near=near,
        test_near=test_near,
        nearness=judged,
        pairs_within=counts[0],
        pairs_across=counts[1],
    )


def _class_sums(
    images: np.ndarray, others: np.ndarray, labels: Int[np.ndarray, " m"], n_classes: int
) -> Float[np.ndarray, "n C"]:
    """Ordinariness of images in each class of others, which count 1/m each."""
    weights = np.eye(n_classes, dtype=np.float32)[labels] / np.float32(len(labels))
    return np.asarray(ordinariness(images, weights, others=None if others is images else others))


def _own(
    sums: Float[np.ndarray, "n C"], labels: Int[np.ndarray, " n"], others: Int[np.ndarray, " m"]
) -> Float[np.ndarray, " n"]:
    """Mean similarity of each image to the others of its class."""
    shares = np.bincount(others, minlength=sums.shape[1]) / max(len(others), 1)
    return sums[np.arange(len(labels)), labels] / shares[labels]
