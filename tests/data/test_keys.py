import numpy as np
import pytest

from lcrjax.data import DataError, load
from lcrjax.data.keys import choose_keys

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (12, 4, 3), dtype=np.uint8), np.arange(12) % 3
TX, TY = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8), np.arange(6) % 3


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("Xtrain", "ytrain", "Xtest", "ytest"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("train_images", "train_labels", "val_images", "val_labels"),
        ("train_set_x", "train_set_y", "test_set_x", "test_set_y"),
        ("training_data", "training_targets", "testing_data", "testing_targets"),
        ("images", "labels", "test_images", "test_labels"),
        ("images.train", "labels.train", "images.valid", "labels.valid"),
    ],
)
def test_usual_names_of_two_splits(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X, Y, TX, TY), strict=True)))
    data = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.train_images, X)
    np.testing.assert_array_equal(data.train_labels, Y)
    np.testing.assert_array_equal(data.test_images, TX)
    np.testing.assert_array_equal(data.test_labels, TY)


@pytest.mark.parametrize(
    "names",
    [
        *[("images", "labels"), ("X", "y"), ("data", "target"), ("features", "labels")],
        *[
            ("embeddings", "labels"),
            ("image", "label"),
            ("x_train", "y_train"),
            ("data", "targets"),
        ],
    ],
)
def test_usual_names_without_a_test_set(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X, Y), strict=True)))
    data = load(tmp_path / "a.npz", test_fraction=0)
    np.testing.assert_array_equal(data.train_images, X)
    np.testing.assert_array_equal(data.train_labels, Y)
    assert data.test is None


def test_vectors_texts_names_groups_and_class_names_are_taken(tmp_path):
    vectors = RNG.random((12, 5), dtype=np.float32)
    beside = {
        "class_names": np.array(["cat", "dog", "owl"]),
        "filenames": np.array([f"{i}.png" for i in range(12)]),
        "patient_ids": np.arange(12) // 4,
        "mean": np.zeros(5),
    }
    np.savez(tmp_path / "a.npz", embeddings=vectors, labels=Y + 1, **beside)
    data = load(tmp_path / "a.npz", test_fraction=0)
    assert data.kind == "vectors"
    np.testing.assert_array_equal(data.train.elements, vectors)
    np.testing.assert_array_equal(data.train_labels, Y)
    assert data.class_names == ("cat", "dog", "owl")
    assert data.train.names.tolist() == beside["filenames"].tolist()
    assert data.train.groups.tolist() == [str(i // 4) for i in range(12)]
    assert data.notes == ("Arrays left out: mean.",)
    words = np.array(["a b", "c", "d"] * 4)
    np.savez(tmp_path / "t.npz", texts=words, labels=np.array([b"u", b"v", b"v"] * 4))
    data = load(tmp_path / "t.npz", test_fraction=0)
    assert (data.kind, data.class_names) == ("texts", ("u", "v"))
    assert data.train.elements.tolist() == words.tolist()


def test_names_of_a_split_go_with_it(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        **{"x_train": X, "y_train": Y, "x_test": TX, "y_test": TY},
        **{"names_train": np.arange(12), "ids_test": np.arange(6) + 100},
    )
    data = load(tmp_path / "a.npz")
    assert data.train.name_of(3) == "3"
    assert data.test.name_of(3) == "103"


def test_a_held_out_test_set_keeps_its_names(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y, names=np.arange(12))
    data = load(tmp_path / "a.npz")
    for split in (data.train, data.test):
        np.testing.assert_array_equal(split.elements, X[split.names.astype(int)])
        np.testing.assert_array_equal(split.labels, Y[split.names.astype(int)])


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        (Y + 1, Y),
        (np.eye(3, dtype=int)[Y], Y),
        (np.array(["b", "a", "c"])[Y], np.array([1, 0, 2])[Y]),
        (Y[:, None] * 10, Y),
    ],
)
def test_labels_in_every_usual_form(tmp_path, labels, codes):
    np.savez(tmp_path / "a.npz", images=X, labels=labels)
    np.testing.assert_array_equal(load(tmp_path / "a.npz", test_fraction=0).train_labels, codes)


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"images": X}, "holds images but lacks labels: it needs train_images"),
        ({"x_train": X, "y_train": Y, "x_test": TX}, "lacks test_labels"),
        ({"x_train": X, "y_train": Y, "y_val": TY}, "lacks validation_images"),
        ({"a": X, "b": Y}, "holds a, b but lacks images, labels"),
        ({}, "no arrays"),
        ({"images": X, "labels": Y, "classes": np.eye(3)}, "classes in .* one name per class"),
        ({"images": X, "labels": Y, "classes": np.array(["a", "b"])}, "only 2 classes have names"),
        ({"images": X, "labels": Y, "names": np.arange(5)}, "12 elements and 5 names"),
        ({"images": X, "labels": Y[:5]}, "12 training elements but 5 labels"),
        ({"images": X, "labels": np.array([b"\xff"] * 12)}, "no text in UTF-8"),
        ({"images": X, "labels": np.eye(3, 14, dtype=int)[Y] + np.eye(3, 14, k=1, dtype=int)[Y]},
         "mark 2 classes.* lcrjax.measure"),
        ({"images": X, "labels": np.where(Y == 1, np.nan, Y)}, "labels lack 4 of 12 values"),
    ],
)  # fmt: skip
def test_what_is_no_dataset(tmp_path, arrays, match):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=match) as caught:
        load(tmp_path / "a.npz", test_fraction=0)
    assert "\n" not in str(caught.value)


def test_the_first_of_several_names_goes():
    found = ["y", "labels", "x", "images", "class_names"]
    assert choose_keys("a", found) == {
        ("train", "elements"): "images",
        ("train", "labels"): "labels",
        ("", "class_names"): "class_names",
    }


def test_objects_are_refused_with_how_to_save_strings(tmp_path):
    np.savez(tmp_path / "a.npz", images=X, labels=np.array(list("abc") * 4, dtype=object))
    with pytest.raises(DataError, match=r"never unpickled: .*np.array\(names, dtype=str\)"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("point", [0x110000, 0xD800])
def test_characters_that_are_none_are_refused(tmp_path, point):
    labels = np.array(list("abc") * 4)
    labels.view(np.uint32)[5] = point
    np.savez(tmp_path / "a.npz", images=X, labels=labels)
    with pytest.raises(DataError, match=r"labels in .* holds characters that are none"):
        load(tmp_path / "a.npz")
