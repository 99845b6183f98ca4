"""Representation of a training set by its test set, by class and as a whole."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lcrjax.data import Dataset
from lcrjax.measures.divergence import crossed_with, relative_to
from lcrjax.report.page.measured import Measured


class Representation(NamedTuple):
    """How a part of the test set compares with the same part of the training set, at q = 1.

    Attributes:
        images: Number of test images that are looked at.
        relative: Relative diversity of test from training; 1 where both are the same.
        diversity: Effective number of images of the training part.
        cross: What the test part looks like to somebody who knows the training part.
        train_rmsd: Median RMSD of a training image to the nearest other one.
        test_rmsd: Median RMSD of a test image to the nearest training image.
        near: Test images with a near-duplicate in training.
    """

    images: int
    relative: float
    diversity: float
    cross: float
    train_rmsd: float
    test_rmsd: float
    near: int


def relative(zp: Float[np.ndarray, " n"], zr: Float[np.ndarray, " n"], q: float | int) -> float:
    """Relative diversity of a set of images, each counted once: $M_{q-1}(p, Zp / Zr)$.

    Args:
        zp: Mean similarity of each image to the set.
        zr: Mean similarity of each image to what the set is compared with.
        q: Viewpoint.
    """
    weights = np.ones((len(zp), 1))
    return float(relative_to(weights, zp[:, None], zr[:, None], q)[0, 0])


def whole(measured: Measured) -> Representation | None:
    """Compare all test images with all training images; None where there are none."""
    if not len(measured.test):
        return None
    return _compared(
        measured.test,
        measured.test_in,
        measured.diversity.dataset_level["gamma"][measured.at(1)],
        measured.train_rmsd,
        measured.test_rmsd,
        measured.test_rmsd <= measured.threshold,
    )


def by_class(dataset: Dataset, measured: Measured) -> list[Representation | None]:
    """Compare each class's test images with its training images; None where none is looked at."""
    alone = np.asarray(measured.diversity.class_level["normalized_alpha"])[measured.at(1)]
    near = measured.test_rmsd <= measured.threshold
    found: list[Representation | None] = []
    labels = dataset.train_labels[measured.rows]
    tests = np.empty(0) if dataset.test is None else dataset.test_labels[measured.tests]
    for c in range(dataset.n_classes):
        mine, theirs = labels == c, tests == c
        parts = (
            measured.test_own[theirs],
            measured.test_in_own[theirs],
            alone[c],
            measured.train_near[0].rmsd[mine],
            measured.test_near[0].rmsd[theirs],
            near[theirs],
        )
        found.append(_compared(*parts) if theirs.any() else None)
    return found


def _compared(
    zp: np.ndarray,
    zr: np.ndarray,
    diversity: Any,
    train_rmsd: np.ndarray,
    test_rmsd: np.ndarray,
    near: np.ndarray,
) -> Representation:
    return Representation(
        images=len(zp),
        relative=relative(zp, zr, 1.0),
        diversity=float(diversity),
        cross=float(crossed_with(np.ones((len(zr), 1)), zr[:, None], 1.0)[0, 0]),
        train_rmsd=_median(train_rmsd),
        test_rmsd=_median(test_rmsd),
        near=int(near.sum()),
    )


def nearest_class_accuracy(
    labels: Int[np.ndarray, " n"], within: Float[np.ndarray, " n"], across: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    """Share of images whose nearest one is of their class, and the mean of the classes' shares.

    Args:
        labels: Classes of the images.
        within: Distances to the nearest of the same class.
        across: Distances to the nearest of another; ties count for the label.
    """
    right = within <= across
    classes = np.unique(labels)
    return float(right.mean()), float(np.mean([right[labels == c].mean() for c in classes]))


def _median(rmsd: Float[np.ndarray, " n"]) -> float:
    known = rmsd[np.isfinite(rmsd)]
    return float(np.median(known)) if len(known) else float("nan")
