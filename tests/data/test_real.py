"""The six real datasets beside the repository, where they are."""

from pathlib import Path

import numpy as np
import pytest

from lcrjax.data import load

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
FACTS = {
    "blood": ((28, 28, 3), 2399, [570, 1459, 726, 1355, 568, 664, 1559, 1099]),
    "pneumonia": ((28, 28), 624, [1214, 3494]),
    "covid2": ((28, 28), 2000, [1555, 4445]),
    "mednist": ((28, 28), 2001, [990, 918, 1025, 1025, 1025, 1016]),
    "brain": ((64, 64), 861, [620, 576, 229, 584]),
    "breast": ((28, 28), 156, [147, 399]),
}


@pytest.mark.parametrize("name", FACTS)
def test_real_datasets_have_the_counts_their_readme_states(name):
    path = REAL / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    shape, n_test, counts = FACTS[name]
    data = load(path)
    assert data.image_shape == shape
    assert np.bincount(data.train_labels).tolist() == counts
    assert len(data.test_images) == len(data.test_labels) == n_test
    assert data.train_images.dtype == np.uint8
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(data.train_images, archive["train_images"])
        np.testing.assert_array_equal(data.test_labels, archive["test_labels"][:, 0])
