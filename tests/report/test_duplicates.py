import dataclasses

import numpy as np
import pandas as pd
import pytest

from lcrjax import Stream
from lcrjax.data import Dataset, Split, from_arrays
from lcrjax.pairwise import nearness
from lcrjax.pairwise.close_pairs import dimension_of
from lcrjax.pairwise.tiling import LARGEST_TILES
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


def test_streams_have_the_same_pairs(data):
    splits = [dataclasses.replace(s, elements=Stream(s.elements)) for s in (data.train, data.test)]
    found = near_duplicates(Dataset("made", *splits, data.class_names))
    wanted = near_duplicates(data)
    pd.testing.assert_frame_equal(found, wanted)
    assert (found.attrs["in_blocks"], wanted.attrs["in_blocks"]) == (True, False)
    assert found.attrs["threshold"] == pytest.approx(wanted.attrs["threshold"], rel=1e-6)


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
    for kinds in (["between"], []):
        with pytest.raises(ValueError, match="give some of within, across, train-test"):
            near_duplicates(data, kinds=kinds)
    for threshold in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="give a distance of 0 or more"):
            near_duplicates(data, threshold=threshold)


def pairs_of(found):
    columns = ["first", "second", "first_split", "first_class", "second_class", "kind", "distance"]
    return [tuple(row) for row in found[columns].itertuples(index=False)]


def test_texts_by_their_edits():
    """kitten to mitten is 1 edit of 6 characters, to sitting 3 of 7; mitten to sitting 3 of 7."""
    pytest.importorskip("rapidfuzz")
    data = from_arrays(
        "words",
        np.array(["kitten", "sitting", "mitten", "kitten", "horse"]),
        ["a", "b", "b", "a", "b"],
        np.array(["Kitten", "horses", "zebra"]),
        ["a", "a", "b"],
        train_groups=list("vwxyz"),
        test_groups=list("zzz"),
    )
    found = near_duplicates(data, threshold=0.2)
    assert pairs_of(found) == [
        ("0", "3", "train", "a", "a", "within", 0.0),
        ("0", "2", "train", "a", "b", "across", 1 / 6),
        ("2", "3", "train", "b", "a", "across", 1 / 6),
        ("0", "0", "test", "a", "a", "train-test", 1 / 6),
        ("0", "2", "test", "a", "b", "train-test", 1 / 6),
        ("0", "3", "test", "a", "a", "train-test", 1 / 6),
        ("1", "4", "test", "a", "b", "train-test", 1 / 6),
    ]
    assert found["second_group"].tolist() == list("yxyvxyz")
    assert len(near_duplicates(data, kinds=["within"], threshold=3 / 7)) == 2
    assert len(near_duplicates(data, kinds=["within", "across"], threshold=3 / 7)) == 9
    assert near_duplicates(data, threshold=0).shape[0] == 1
    # Nearest others are 0, 3/7, 1/6, 0 and 6/7 away: a quarter of the median.
    assert near_duplicates(data).attrs["threshold"] <= 1 / 24


def test_rows_by_gower():
    """Ages 20 to 60: a year is 1/40 of the range; a third of the columns each."""
    frame = {"age": [20.0, 30, 60, 20, np.nan], "blood": list("A0AAB"), "sex": list("fmfff")}
    test = {"age": [24.0, 90], "blood": ["A", "B"], "sex": ["f", "m"]}
    data = from_arrays("people", pd.DataFrame(frame), list("xyxyx"), pd.DataFrame(test), list("xy"))
    found = near_duplicates(data, threshold=0.4)
    assert pairs_of(found) == [
        ("0", "3", "train", "x", "y", "across", 0.0),
        ("0", "0", "test", "x", "x", "train-test", round(1 / 30, 6)),
        ("0", "3", "test", "x", "y", "train-test", round(1 / 30, 6)),
        ("0", "2", "test", "x", "x", "train-test", 0.3),
        ("0", "2", "train", "x", "x", "within", round(1 / 3, 6)),
        ("2", "3", "train", "x", "y", "across", round(1 / 3, 6)),
    ]


@pytest.mark.parametrize("kind", ["texts", "rows"])
def test_blocks_list_what_all_pairs_are(kind, monkeypatch):
    """More elements than a block holds, and distances of an independent matrix."""
    monkeypatch.setitem(LARGEST_TILES, "near-duplicates", {"other": 32})
    rng = np.random.default_rng(0)
    n, labels = 70, np.arange(110) % 2
    if kind == "texts":
        distance = pytest.importorskip("rapidfuzz.distance").Levenshtein.normalized_distance
        held = np.array(["".join(rng.choice(list("abc"), 6)) for _ in range(110)])
        wanted = np.array([[distance(x, y) for y in held] for x in held])
    else:
        values = rng.integers(0, 5, (110, 4))
        values[0], values[1] = 0, 4
        held = pd.DataFrame(values, columns=list("abcd"))
        wanted = np.abs(values[:, None] - values[None]).mean(axis=2) / 4
    parts = (held[:n], held[n:]) if kind == "texts" else (held.iloc[:n], held.iloc[n:])
    splits = [Split(x, labels[: len(x)]) for x in parts]
    data = Dataset("made", *splits, ("a", "b"), kind)
    nearest = np.sort(wanted[:n, :n] + 9 * np.eye(n), axis=1)[:, :2].T
    chosen = nearness(nearest[0], dimension_of(*nearest)).threshold
    assert near_duplicates(data).attrs["threshold"] == pytest.approx(chosen, abs=1e-6)
    found = near_duplicates(data, threshold=0.25)
    own = np.argwhere(np.triu(wanted[:n, :n] <= 0.25, 1))
    test = np.argwhere(wanted[n:, :n] <= 0.25)
    assert len(own) > 20
    assert len(test) > 20
    for split, first, places in (("train", 0, own), ("test", n, test)):
        part = found[found["first_split"] == split].astype({"first": int, "second": int})
        ends = part[["first", "second"]].to_numpy()
        assert set(map(tuple, ends)) == set(map(tuple, places))
        assert len(ends) == len(places)
        distances = wanted[first + ends[:, 0], ends[:, 1]]
        np.testing.assert_allclose(part["distance"], distances, atol=1e-6)


def test_shared_groups_are_told(data):
    said = "2 groups are in both training and test (p8, p9), with 2 of 8 test images"
    assert group_leak(data).startswith(said)
