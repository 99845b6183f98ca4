import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels


def write(path, images, labels, **more):
    np.savez(path, images=images, labels=labels, **more)
    return path


@pytest.fixture
def two(tmp_path):
    """A dataset of classes a, b, c, and one of c and a."""
    data = write(tmp_path / "data.npz", pixels((9, 5, 4)), np.array(list("abcabcabc")))
    return data, write(tmp_path / "other.npz", pixels((4, 5, 4), 1), np.array(list("caac")))


def test_classes_of_a_test_set_are_matched_by_name(two):
    data = load(two[0], test=two[1])
    np.testing.assert_array_equal(data.train_images, pixels((9, 5, 4)))
    np.testing.assert_array_equal(data.test_images, pixels((4, 5, 4), 1))
    assert data.class_names == ("a", "b", "c")
    assert data.test_labels.tolist() == [2, 0, 0, 2]
    assert data.notes == ("The test set is other: 4 images.",)


def test_the_datasets_own_test_set_is_left_out_and_said(two, save):
    own = save(test_labels=np.zeros(6), train_labels=np.zeros(12))
    other = write(own.with_name("o.npz"), pixels((2, 5, 4)), np.array([0, 0]))
    data = load(own, test=other)
    assert (len(data.train), len(data.test)) == (12, 2)
    assert "The test set that set has was left out." in data.notes
    with pytest.raises(DataError, match="set is to be the test set but has one of its own"):
        load(two[0], test=own)


def test_names_of_files_stay(picture_folder, tmp_path):
    folder, _ = picture_folder()
    data = load(folder / "train", test=folder / "test")
    assert data.train.names[5] == "dog/1.png"
    assert data.test.names[7] == "dog/3.png"
    np.testing.assert_array_equal(data.test_images, load(folder).test_images)


def test_a_test_set_must_fit(two, tmp_path):
    extra = write(tmp_path / "x.npz", pixels((2, 5, 4)), np.array(["a", "z"]))
    with pytest.raises(DataError, match="the test set x has the class 'z', of which data has no"):
        load(two[0], test=extra)
    large = write(tmp_path / "l.npz", pixels((2, 6, 4)), np.array(["a", "b"]))
    with pytest.raises(DataError, match="make them the same"):
        load(two[0], test=large)
    assert load(two[0], test=large, resize=4).test_images.shape == (2, 4, 4)
