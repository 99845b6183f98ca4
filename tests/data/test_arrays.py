import hashlib

import numpy as np
import pandas as pd
import pytest

from lcrjax import Stream
from lcrjax.data import DataError, Dataset, Split, from_arrays
from lcrjax.data.resize import as_size


def build(arrays, **changes):
    return from_arrays("set", **(arrays | changes))


def with_value(images, value, where=(7, 2, 3)):
    images = images.astype(np.float32) / 255
    images[where] = value
    return images


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_pixel_that_is_no_number_is_located(arrays, value):
    bad = with_value(arrays["train_images"], value)
    with pytest.raises(DataError, match=r"training images.*image 7 at \(2, 3\)"):
        build(arrays, train_images=bad)
    with pytest.raises(DataError, match=r"test images.*image 3 at \(0, 1\)"):
        build(arrays, test_images=with_value(arrays["test_images"], value, (3, 0, 1)))


def test_the_range_of_floats_outside_the_unit_interval_is_said(arrays):
    with pytest.raises(DataError, match=r"range from \d+ to 25\d but must lie in \[0, 1\]: divide"):
        build(arrays, train_images=arrays["train_images"].astype(np.float64))
    with pytest.raises(DataError, match=r"-0.5 to"):
        build(arrays, train_images=with_value(arrays["train_images"], -0.5))


@pytest.mark.parametrize(("dtype", "kept"), [("f2", "f4"), ("f4", "f4"), ("f8", "f8")])
def test_floats_keep_their_values(arrays, dtype, kept):
    floats = {k: (arrays[k] / 256).astype(dtype) for k in ("train_images", "test_images")}
    data = build(arrays, **floats)
    assert data.train_images.dtype == np.dtype(kept)
    np.testing.assert_array_equal(data.train_images, floats["train_images"])


def test_images_that_need_no_change_are_not_copied(arrays):
    data = build(arrays)
    assert data.train_images is arrays["train_images"]
    assert data.test_images is arrays["test_images"]


def test_whole_numbers_become_bytes_where_they_fit(arrays):
    data = build(arrays, train_images=arrays["train_images"].astype(np.int64))
    np.testing.assert_array_equal(data.train_images, arrays["train_images"])
    shifted = np.clip(arrays["train_images"], 0, 253).astype(np.int16) + 1
    shifted[3, 0, 0] = -1
    with pytest.raises(DataError, match="range from -1 to 254"):
        build(arrays, train_images=shifted)
    with pytest.raises(DataError, match=r"0\.\.255"):
        build(arrays, train_images=np.full((12, 5, 4), 4095, np.uint16))


def test_booleans_become_black_and_white(arrays):
    data = build(arrays, train_images=arrays["train_images"] > 100)
    np.testing.assert_array_equal(data.train_images == 255, arrays["train_images"] > 100)
    assert set(np.unique(data.train_images)) == {0, 255}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"train_labels": np.arange(12) % 3 + 0.5}, "label of element 0 is 0.5: give whole"),
        ({"train_labels": np.array(list("abcabcabcabc"))}, "one split are text"),
        (
            {"train_labels": np.array([0, 1, None] * 4)},
            "training labels lack 4 of 12 values, first at 2",
        ),
        ({"train_labels": np.array([0, 1, np.nan] * 4)}, r"training labels lack 4 of 12 values"),
        ({"train_labels": ["a", "b", ""] * 4}, "training label of element 2 is empty"),
        ({"train_labels": np.array(["a", 1] * 6, object)}, "text and numbers"),
        (
            {"train_labels": np.ma.masked_equal(np.arange(12) % 3, 1)},
            "labels lack 4 of 12 values, first at 1",
        ),
        (
            {"train_labels": np.array(["2020-01-01", "NaT"] * 6, "M8[D]")},
            "training labels lack 6 of 12 values",
        ),
        ({"train_labels": np.array(["2020-01-01"] * 12, "M8[D]")}, "are datetime64"),
        ({"train_labels": np.arange(12) % 3 - 1}, r"negative number -1 \(element 0\)"),
        ({"train_labels": np.arange(11) % 3}, "12 training elements but 11 labels"),
        ({"train_labels": np.zeros((12, 3), int)}, "element 0 mark 0 classes"),
        ({"train_labels": np.ones((12, 3), int)}, "element 0 mark 3 classes"),
        ({"train_labels": np.full((12, 3), 2)}, "one class per element"),
        ({"train_labels": np.zeros((12, 1, 1), int)}, "one per element"),
        ({"train_labels": np.array(3)}, "one per element"),
        ({"train_labels": np.arange(12) % 2}, "class '2' has no training element, though"),
        ({"train_labels": np.full(12, 2**64 - 1, np.uint64)}, "number the classes"),
        ({"train_images": np.zeros((12, 5), np.uint8)}, "are vectors, test elements images"),
        ({"train_images": np.zeros((0, 5), np.uint8)}, "vectors are empty"),
        ({"train_images": np.zeros((12, 5, 4, 3, 2), np.uint8)}, "shape"),
        ({"train_images": np.zeros((0, 5, 4), np.uint8)}, "empty"),
        ({"train_images": np.zeros((12, 0, 4), np.uint8)}, "empty"),
        ({"test_images": np.zeros((0, 5, 4), np.uint8)}, "empty"),
        ({"train_images": np.zeros((12, 3, 28, 28), np.uint8)}, "channels first"),
        ({"train_images": np.zeros((12, 5, 4), complex)}, "complex"),
        ({"train_images": np.full((12, 5, 4), "x")}, "store them as uint8"),
        ({"test_images": np.zeros((6, 4, 4), np.uint8)}, "resize="),
        ({"test_images": np.zeros((6, 5, 4, 3), np.uint8)}, "same"),
        ({"test_images": np.zeros((6, 5, 4), np.float32)}, "uint8 but test images float32"),
        ({"test_images": None}, "together"),
        ({"class_names": ("a", "b")}, "only 2 classes have names"),
        ({"class_names": ("a", "b", "c", "d")}, "class 'd' has no training element"),
        ({"class_names": ("a", "b", "a")}, "two classes are named 'a'"),
        ({"train_names": ("a", "b")}, "12 elements and 2 names"),
    ],
)
def test_bad_input_is_one_clear_sentence(arrays, changes, match):
    with pytest.raises(DataError, match=match) as caught:
        build(arrays, **changes)
    assert "\n" not in str(caught.value)


def test_splits_of_two_widths_meet_in_the_wider(arrays):
    data = build(
        arrays,
        train_images=(arrays["train_images"] / 255).astype(np.float32),
        test_images=arrays["test_images"] / 255,
    )
    assert data.train_images.dtype == data.test_images.dtype == np.float64


def test_resizing_to_a_multiple_of_a_flat_image_keeps_it_flat(arrays):
    flat = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None] * 20, (12, 6, 4))
    data = build(arrays, train_images=flat, resize=(3, 8))
    assert data.train_images.shape == (12, 3, 8)
    assert data.test_images.shape == (6, 3, 8)
    np.testing.assert_array_equal(data.train_images, np.broadcast_to(flat[:, :1, :1], (12, 3, 8)))


def test_resizing_floats_and_bytes_agree(arrays):
    colour = {
        "train_images": np.random.default_rng(0).integers(0, 256, (12, 9, 9, 3), dtype=np.uint8),
        "test_images": np.random.default_rng(1).integers(0, 256, (6, 9, 9, 3), dtype=np.uint8),
    }
    whole = build(arrays, **colour, resize=4).train_images
    floats = {k: v.astype(np.float32) / 255 for k, v in colour.items()}
    scaled = build(arrays, **floats, resize=4).train_images
    assert scaled.dtype == np.float32
    assert np.abs(scaled * 255 - whole).max() <= 1.01  # Pillow rounds bytes after each pass


@pytest.mark.parametrize("size", [0, -3, 2**16, "8", (3,), (3, 4, 5), 2.5, (2.5, 3)])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(DataError, match="resize"):
        as_size(size)


def test_the_hash_is_of_shapes_types_and_bytes(arrays):
    data = build(arrays)
    digest = hashlib.sha256()
    for array, head in (
        (data.train_images, b"|u1(12, 5, 4)"),
        (data.train_labels, b"<i8(12,)"),
        (data.test_images, b"|u1(6, 5, 4)"),
        (data.test_labels, b"<i8(6,)"),
    ):
        digest.update(head + array.tobytes())
    assert data.content_hash() == digest.hexdigest()
    assert build(arrays, class_names=("a", "b", "c")).content_hash() == data.content_hash()
    other = arrays["train_images"].copy()
    other[0, 0, 0] ^= 1
    assert build(arrays, train_images=other).content_hash() != data.content_hash()


def test_a_dataset_describes_its_images():
    images = np.zeros((2, 5, 4, 3), np.uint8)
    half = Split(images, np.arange(2))
    data = Dataset("x", half, half, ("a", "b"))
    assert (data.n_pixels, data.n_channels, data.image_shape) == (20, 3, (5, 4, 3))


def test_a_class_of_one_cannot_be_split(arrays):
    labels = np.repeat([0, 1], [11, 1])
    with pytest.raises(DataError, match="class '1' has one element only"):
        build(arrays, train_labels=labels, test_images=None, test_labels=None)


def test_without_a_part_to_hold_out_all_is_there_to_measure(arrays):
    labels = np.repeat([0, 1], [11, 1])
    whole = build(arrays, train_labels=labels, test_images=None, test_labels=None, test_fraction=0)
    assert (len(whole.train), whole.test, whole.notes) == (12, None, ())
    with pytest.raises(DataError, match="set has no test set: load it with test_fraction"):
        _ = whole.test_images
    held = build(arrays, test_images=None, test_labels=None, seed=3)
    assert held.notes == (
        "3 of 12 images were held out as test set, 25% of each class at random (seed 3).",
    )


def test_one_class_is_a_dataset(arrays):
    data = build(arrays, train_labels=np.zeros(12, int), test_labels=np.zeros(6, int))
    assert data.class_names == ("0",)


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        (["10", "9", "b10", "b9"] * 3, ("9", "10", "b9", "b10"), [1, 0, 3, 2]),
        ([10, 9, 2, 9] * 3, ("2", "9", "10"), [2, 1, 0, 1]),
        (np.array([1.0, 2.0] * 6), ("1", "2"), [0, 1, 0, 1]),
        (np.array([b"x", b"y"] * 6), ("x", "y"), [0, 1, 0, 1]),
        (np.eye(3, dtype=int)[[2, 0, 1] * 4], ("0", "1", "2"), [2, 0, 1, 2]),
        (np.array([True, False] * 6), ("0", "1"), [1, 0, 1, 0]),
        (np.array([0, 2**40] * 6), ("0", str(2**40)), [0, 1, 0, 1]),
    ],
)
def test_classes_are_what_labels_name_in_natural_order(arrays, labels, names, codes):
    data = build(arrays, train_labels=labels, test_images=None, test_labels=None, test_fraction=0)
    assert data.class_names == names
    assert data.train_labels[:4].tolist() == codes
    assert data.train_labels.dtype == np.int64


def test_labels_from_one_are_places_among_names_where_they_fit_no_other_way(arrays):
    labels = np.arange(12) % 3 + 1
    some = {"test_images": None, "test_labels": None, "test_fraction": 0}
    data = build(arrays, train_labels=labels, class_names=("a", "b", "c"), **some)
    assert data.train_labels[:3].tolist() == [0, 1, 2]
    text = build(arrays, train_labels=list("cabcabcabcab"), class_names=("c", "b", "a"), **some)
    assert text.train_labels[:3].tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        (np.arange(12.0).reshape(4, 3), "vectors"),
        (np.array(["one", "two", "one two", "three"]), "texts"),
        (["one", "two", "one two", "three"], "texts"),
        (pd.DataFrame({"a": [1, 2, 3, 4], "b": list("wxyz")}), "rows"),
    ],
)
def test_elements_need_be_no_images(elements, kind):
    data = from_arrays("x", elements, ["a", "b"] * 2, test_fraction=0.5, train_names=list("pqrs"))
    assert (data.kind, len(data.train), len(data.test)) == (kind, 2, 2)
    assert {*data.train.names, *data.test.names} == set("pqrs")
    with pytest.raises(DataError, match=f"x holds {kind}, no images"):
        _ = data.train_images
    same = from_arrays("y", elements, ["a", "b"] * 2, test_fraction=0.5)
    assert data.content_hash() == same.content_hash()
    assert data.content_hash() != from_arrays("x", elements, list("abba")).content_hash()
    with pytest.raises(DataError, match=f"resize=3 means nothing for {kind}"):
        from_arrays("x", elements, ["a", "b"] * 2, resize=3)


def test_vectors_are_finite_floats():
    bad = np.ones((4, 3))
    bad[2, 1] = np.nan
    with pytest.raises(DataError, match="in vector 2, component 1"):
        from_arrays("x", bad, list("abab"))
    whole = from_arrays("x", np.arange(12, dtype=np.int64).reshape(4, 3), list("abab"))
    assert whole.train.elements.dtype == np.float64


def test_a_dataset_is_printed_in_five_lines(arrays):
    assert repr(build(arrays, source="made up")).splitlines() == [
        "Dataset set: images of 5×4",
        "  train    12",
        "  test     6",
        "  classes  3: 0, 1, 2",
        "  source   made up",
    ]


@pytest.mark.parametrize("shape", [(3, 2, 2), (3, 4)])
def test_a_bad_element_is_called_by_its_name(shape):
    elements, names = np.zeros(shape, "f4"), ["a.png", "b.png", "c.png"]
    elements[1].flat[3] = np.nan
    one = "image" if len(shape) == 3 else "vector"
    with pytest.raises(ValueError, match=f"in {one} b.png"):
        from_arrays("x", elements, [0, 1, 1], train_names=names)
    for none in (None, names[:1]):
        with pytest.raises(ValueError, match=f"in {one} 1"):
            from_arrays("x", elements, [0, 1, 1], train_names=none)


def test_vectors_of_a_stream():
    stream = Stream([np.zeros((3, 2), "f4")])
    with pytest.raises(DataError, match="are a Stream, of which no test set is held out: give tes"):
        from_arrays("set", stream, [0, 0, 1])
    found = from_arrays("set", stream, [0, 0, 1], test_fraction=0)
    assert (found.kind, found.train.elements) == ("vectors", stream)
    bad = np.zeros((3, 2), "f4")
    bad[1, 1] = np.nan
    for names, called in ((None, "1"), (["a", "b", "c"], "b")):
        with pytest.raises(DataError, match=f"in vector {called}, component 1: remove or replace"):
            from_arrays("set", Stream([bad]), [0, 0, 1], test_fraction=0, train_names=names)
    with pytest.raises(
        DataError, match=r"a Stream of shape \(3, 2, 2\).*: call Dataset\(name, Spl"
    ):
        from_arrays("set", Stream([np.zeros((3, 2, 2))]), [0, 0, 1], test_fraction=0)
    with pytest.raises(DataError, match="there are no blocks of elements: give one at"):
        from_arrays("set", Stream([]), [], test_fraction=0)
    assert len(Dataset("set", Split(stream, np.array([0, 0, 1])), None, ("a", "b")).train) == 3
