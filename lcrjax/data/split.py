"""Part of a dataset held out for testing, class by class."""

from collections.abc import Sequence

import numpy as np

from lcrjax.data.errors import DataError

TEST_FRACTION = 0.25


def stratified_split(
    labels: np.ndarray,
    test_fraction: float | int,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose test images at random, the same fraction of each class.

    Each class gives `test_fraction` of its images, rounded, but at least one, and keeps at least
    one for training.

    Args:
        labels: (n,) integers, 0 to the number of classes - 1, at least one image each.
        test_fraction: Part of each class that is held out, in (0, 1).
        seed: Seed of the choice, at least 0.
        class_names: Names of the classes, for the error's text; None for their numbers.

    Returns:
        Indices of the training and of the test images, both ascending.

    Raises:
        DataError: If the fraction is not in (0, 1), the seed is negative, or a class has one image.
    """
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction is {test_fraction!r}: give a number between 0 and 1.")
    if seed < 0:
        raise DataError(f"seed is {seed!r}: give at least 0.")
    rng = np.random.default_rng(seed)
    test = []
    for label, count in enumerate(np.bincount(labels)):
        if count == 1:
            name = str(label) if class_names is None else class_names[label]
            raise DataError(
                f"class {name!r} has one element only, which cannot be both "
                "trained on and tested: add some, drop the class, or hold none out "
                "(test_fraction=0)."
            )
        held_out = min(max(round(test_fraction * int(count)), 1), int(count) - 1)
        test.append(rng.permutation(np.flatnonzero(labels == label))[:held_out])
    is_test = np.zeros(len(labels), bool)
    is_test[np.concatenate(test)] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
