"""TensorFlow Datasets, on datasets that its own builder writes here."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from lcrjax.data import DataError, load

pytest.importorskip("array_record")
tfds = pytest.importorskip("tensorflow_datasets")

SHAPE = (6, 5, 1)


def encode(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return io.BytesIO(stream.getvalue())


def example(seed, shape=SHAPE):
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return array[:, :, 0] if shape[2] == 1 else array


@pytest.fixture
def build(tmp_path):
    """Prepare a dataset with the given numbers of examples per split."""

    def make(splits, shape=SHAPE, shapes=None, features=None):
        class TinyPictures(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                plain = {
                    "image": tfds.features.Image(shape=shape),
                    "label": tfds.features.ClassLabel(names=["cat", "dog"]),
                }
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=tfds.features.FeaturesDict(plain | (features or {})),
                    supervised_keys=None if features else ("image", "label"),
                    homepage="https://example.org/",
                )

            def _split_generators(self, _):
                return {
                    split: self._generate_examples(n, 100 * i)
                    for i, (split, n) in enumerate(splits.items())
                }

            def _generate_examples(self, n, start):
                for i in range(n):
                    array = example(start + i, shapes[i % len(shapes)] if shapes else shape)
                    extra = dict.fromkeys(features or {}, 1)
                    yield i, {"image": encode(array), "label": i % 2} | extra

        builder = TinyPictures(data_dir=str(tmp_path), file_format="array_record")
        builder.download_and_prepare()
        return tmp_path

    return make


def test_images_labels_and_names_are_read_without_tensorflow(build):
    data = load("tfds:tiny_pictures", cache=build({"train": 9, "test": 4}))
    order = sorted(range(9), key=lambda i: data_key(data.train_images, example(i)))
    np.testing.assert_array_equal(data.train_images[np.arange(9)], [example(i) for i in order])
    np.testing.assert_array_equal(data.train_labels, [i % 2 for i in order])
    assert data.test_images.shape == (4, 6, 5)
    assert data.class_names == ("cat", "dog")
    assert data.name == "tiny_pictures"
    assert "tiny_pictures/1.0.0" in data.source
    assert "tensorflow" not in sys.modules


def data_key(images, wanted):
    """Where TFDS, which shuffles, has put an image."""
    (where,) = np.flatnonzero((images == wanted).all((1, 2)))
    return where


def test_validation_stands_in_for_test(build):
    data = load("tfds:tiny_pictures", cache=build({"train": 8, "validation": 6}))
    assert (len(data.train_images), len(data.test_images)) == (8, 6)


def test_train_alone_is_split(build):
    data = load("tfds:tiny_pictures", cache=build({"train": 8}), test_fraction=0.25)
    assert (len(data.train_images), len(data.test_images)) == (6, 2)


def test_colour_and_resize(build):
    folder = build({"train": 4, "test": 2}, (None, None, 3), [(6, 5, 3), (7, 9, 3)])
    with pytest.raises(DataError, match="resize="):
        load("tfds:tiny_pictures", cache=folder)
    assert load("tfds:tiny_pictures", cache=folder, resize=4).image_shape == (4, 4, 3)


def test_a_limit_holds(build):
    folder = build({"train": 4, "test": 2})
    with pytest.raises(DataError, match="limit of 119"):
        load("tfds:tiny_pictures", cache=folder, max_bytes=119)


def test_other_kinds_of_data_are_refused(build):
    second = {"also": tfds.features.ClassLabel(num_classes=2)}
    folder = build({"train": 2, "test": 2}, features=second)
    with pytest.raises(DataError, match="1 images and 2 class labels"):
        load("tfds:tiny_pictures", cache=folder)


def test_no_training_split(build):
    with pytest.raises(DataError, match="no split 'train'"):
        load("tfds:tiny_pictures", cache=build({"test": 2}))


def test_unknown_names_suggest_the_nearest(build):
    folder = build({"train": 2})
    with pytest.raises(DataError, match="did you mean 'tfds:tiny_pictures'"):
        load("tfds:tiny_picture", cache=folder)
    with pytest.raises(DataError, match="did you mean 'tfds:mnist'"):
        load("tfds:mnst", cache=folder)
    with pytest.raises(DataError, match=r"cannot build 'mnist:9\.9\.9'"):
        load("tfds:mnist:9.9.9", cache=folder)


def test_damaged_records_are_refused(build):
    folder = build({"train": 6, "test": 2})
    (record,) = folder.rglob("*train.array_record*")
    record.write_bytes(record.read_bytes()[:40])
    with pytest.raises(DataError, match="cannot read tfds:tiny_pictures"):
        load("tfds:tiny_pictures", cache=folder)


def test_without_records_the_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_record", None)
    with pytest.raises(ImportError, match=r"needs array-record \(which Windows lacks\)"):
        load("tfds:mnist")
