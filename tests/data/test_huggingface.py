import sys

import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels

datasets = pytest.importorskip("datasets")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


PIXELS = np.stack([pixels((4, 5, 3), i) for i in range(9)])


@pytest.fixture
def pictures():
    features = datasets.Features(
        {"img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog", "owl", "emu"])}
    )
    rows = {"img": [Image.fromarray(x) for x in PIXELS], "label": [i % 3 for i in range(9)]}
    return datasets.Dataset.from_dict(rows, features=features)


def test_a_saved_dataset_is_read_with_its_classes(pictures, tmp_path):
    pictures.save_to_disk(tmp_path / "d")
    data = load(tmp_path / "d", test_fraction=0)
    np.testing.assert_array_equal(data.train_images, PIXELS)
    np.testing.assert_array_equal(data.train_labels, np.arange(9) % 3)
    assert data.class_names == ("cat", "dog", "owl")


def test_splits_and_chosen_rows_are_kept(pictures, tmp_path):
    parts = {"train": pictures.select([8, 7, 3]), "test": pictures.select([2, 1, 0])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "d")
    data = load(tmp_path / "d")
    np.testing.assert_array_equal(data.train_images, PIXELS[[8, 7, 3]])
    np.testing.assert_array_equal(data.test_images, PIXELS[[2, 1, 0]])
    assert data.train_labels.tolist() == [2, 1, 0]


def test_a_test_split_without_labels_gives_way_to_validation(tmp_path):
    make = datasets.Dataset.from_dict
    parts = {
        "train": make({"sentence": ["a", "b", "c"], "label": [0, 1, 0]}),
        "validation": make({"sentence": ["d", "e"], "label": [1, 0]}),
        "test": make({"sentence": ["f", "g"], "label": [-1, -1]}),
        "extra": make({"sentence": ["h"], "label": [1]}),
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "d")
    data = load(tmp_path / "d")
    assert data.kind == "texts"
    assert data.test.elements.tolist() == ["d", "e"]
    assert data.notes[1:] == (
        "The splits extra were left out.",
        "The split 'test' has no labels (all are negative) and was left out.",
        "The validation split serves as test set.",
    )


def test_arrays_of_two_axes_are_images(tmp_path):
    features = datasets.Features(
        {"x": datasets.Array2D((4, 5), "uint8"), "label": datasets.Value("int64")}
    )
    rows = {"x": PIXELS[..., 0], "label": np.arange(9) % 3}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "d")
    data = load(tmp_path / "d", test_fraction=0)
    np.testing.assert_array_equal(data.train_images, PIXELS[..., 0])


def test_the_hub_goes_the_same_way(pictures, monkeypatch):
    asked = []

    def fetch(*arguments, **options):
        asked.append((arguments, options))
        return datasets.DatasetDict(train=pictures, test=pictures.select([1, 2]))

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    data = load("hf:some/pets:small", cache="/tmp/cache")
    assert asked == [(("some/pets", "small"), {"cache_dir": "/tmp/cache"})]
    assert (data.name, len(data.train), len(data.test)) == ("pets", 9, 2)
    load("hf:some/pets")
    assert asked[1][0] == ("some/pets", None)


def test_what_cannot_be_had_is_said(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError) as raised:
        load("hf:x")
    assert str(raised.value) == (
        "cannot read hf:x (ConnectionError: no network): check its name and the network; "
        "where there is none, give a folder of save_to_disk."
    )
    with pytest.raises(DataError, match="names no dataset"):
        load("hf:")
    datasets.Dataset.from_dict({"a": [1, 2]}).save_to_disk(tmp_path / "d")
    with pytest.raises(DataError, match="none is called label"):
        load(tmp_path / "d")
    for file in (tmp_path / "d").glob("*.arrow"):
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(DataError, match="cannot read"):
        load(tmp_path / "d")


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        ImportError, match=r"needs datasets .*: pip install 'lcrjax\[huggingface\]'"
    ):
        load("hf:ylecun/mnist")


def test_offsets_that_lead_out_of_the_file_are_refused(tmp_path):
    words = {"text": list("abcdefghijkl"), "label": list("xy" * 6)}
    datasets.Dataset.from_dict(words).save_to_disk(tmp_path / "d")
    (file,) = (tmp_path / "d").glob("*.arrow")
    sound, offsets = file.read_bytes(), np.arange(13, dtype="<i4")
    assert offsets.tobytes() in sound
    offsets[5] = 2**27
    file.write_bytes(sound.replace(np.arange(13, dtype="<i4").tobytes(), offsets.tobytes()))
    with pytest.raises(DataError, match=r"cannot read .* \(ArrowInvalid: .*: save it anew"):
        load(tmp_path / "d", test_fraction=0)
