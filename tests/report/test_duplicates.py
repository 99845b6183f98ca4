import numpy as np
import pytest

from lcrjax.data import Dataset, Split, from_arrays
from lcrjax.report import near_duplicates
from lcrjax.report.duplicates import group_leak


@pytest.fixture(scope="module")
def data():
    """Copies within and across classes, and near copies of training elements in the test set."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 5, 5), dtype=np.uint8)
    images[9], images[40] = images[3], images[3]
    tests = rng.integers(0, 256, (8, 5, 5), dtype=np.uint8)
    tests[2], tests[5] = images[50] ^ 1, images[1] ^ 1
    labels, test_labels = np.repeat([0, 1], 30), np.repeat([0, 1], 4)
    names = np.array([f"{i}.png" for i in range(60)])
    train = Split(images, labels, names, np.array([f"p{i // 6}" for i in range(60)]))
    test = Split(tests, test_labels, None, np.array([f"p{i + 8}" for i in range(8)]))
    return Dataset("made", train, test, ("cat", "dog"))


PAIRS = {
    ("3.png", "9.png", "train", "within"): ("cat", "cat"),
    ("3.png", "40.png", "train", "across"): ("cat", "dog"),
    ("9.png", "40.png", "train", "across"): ("cat", "dog"),
    ("2", "50.png", "test", "train-test"): ("cat", "dog"),
    ("5", "1.png", "test", "train-test"): ("dog", "cat"),
}


@pytest.mark.parametrize("kind", ["images", "vectors"])
@pytest.mark.parametrize("threshold", [None, 0.01])
def test_all_pairs_are_listed(data, kind, threshold):
    if kind == "vectors":
        train, test = (
            Split(s.elements.reshape(-1, 25).astype("f4") / 255, s.labels, s.names, s.groups)
            for s in (data.train, data.test)
        )
        data = Dataset("made", train, test, data.class_names, kind)
    found = near_duplicates(data, threshold=threshold)
    ends = zip(found["first"], found["second"], found["first_split"], found["kind"], strict=True)
    classes = zip(found["first_class"], found["second_class"], strict=True)
    assert dict(zip(ends, classes, strict=True)) == PAIRS
    assert found["distance"].tolist() == pytest.approx([0, 0, 0, 1 / 255, 1 / 255], abs=1e-7)
    assert set(found["second_split"]) == {"train"}
    assert found.iloc[0][["first_group", "second_group"]].tolist() == ["p0", "p1"]
    assert found.attrs["threshold"] == 0.01 if threshold else 0.02 < found.attrs["threshold"] < 0.1


@pytest.mark.parametrize(
    ("kinds", "places"),
    [(["within"], [0]), (["across"], [1, 2, 3, 4]), (["train-test"], [3, 4]),
     (["within", "train-test"], [0, 3, 4])],
)  # fmt: skip
def test_kinds_of_pairs_are_chosen(data, kinds, places):
    found = near_duplicates(data, kinds=kinds)
    ends = zip(found["first"], found["second"], found["first_split"], found["kind"], strict=True)
    assert set(ends) == {list(PAIRS)[i] for i in places}


def test_a_dataset_without_test_set_names_or_pairs(data):
    alone = from_arrays("alone", data.train.elements[10:40], data.train.labels[10:40],
                        test_fraction=0)  # fmt: skip
    assert near_duplicates(alone).empty
    assert group_leak(alone) is None
    with pytest.raises(ValueError, match="alone has no test set: ask for pairs"):
        near_duplicates(alone, kinds=["train-test"])


def test_bad_wishes_are_refused(data):
    texts = Dataset("words", Split(np.array(["a", "b"]), np.array([0, 1])), None, ("x", "y"),
                    "texts")  # fmt: skip
    with pytest.raises(ValueError, match="words holds texts, which have no distances"):
        near_duplicates(texts)
    for kinds in (["between"], []):
        with pytest.raises(ValueError, match="give some of within, across, train-test"):
            near_duplicates(data, kinds=kinds)
    for threshold in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="give a distance of 0 or more"):
            near_duplicates(data, threshold=threshold)


def test_shared_groups_are_told(data):
    said = "2 groups are in both training and test (p8, p9), with 2 of 8 test images"
    assert group_leak(data).startswith(said)
