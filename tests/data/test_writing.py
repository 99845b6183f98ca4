import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lcrjax.data import DataError, Dataset, Split, load
from lcrjax.data.writing import write_npz, write_pictures


def made(elements, labels, kind="images", names=None, test=True):
    split = Split(elements, np.array(labels), names, None if names is None else names)
    kept = np.array([0, 1, 2])
    return Dataset("made", split, split.take(kept) if test else None, ("b", "a 1"), kind)


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 4), np.uint8)
LABELS = [0, 1, 1, 0, 1, 0]
NAMES = np.array([f"p{i % 2}/é{i}.png" for i in range(6)])


@pytest.mark.parametrize(
    ("kind", "elements"),
    [
        ("images", IMAGES),
        ("images", (IMAGES / 255).astype("f4")[..., None]),
        ("vectors", np.random.default_rng(1).normal(size=(6, 2))),
        ("texts", np.array(["a", "bc ä", "d", "e", "f", "g"], object)),
    ],
)
@pytest.mark.parametrize("test", [True, False])
def test_what_is_written_is_read_again(tmp_path, kind, elements, test):
    dataset = made(elements, LABELS, kind, NAMES, test)
    write_npz(dataset, tmp_path / "d.npz")
    back = load(tmp_path / "d.npz", test_fraction=0)
    assert (back.kind, back.class_names) == (kind, dataset.class_names)
    for ours, theirs in ((dataset.train, back.train), (dataset.test, back.test)):
        assert (ours is None) == (theirs is None)
        for what in ("elements", "labels", "names", "groups") if ours else ():
            np.testing.assert_array_equal(getattr(ours, what), getattr(theirs, what))
    assert [p.name for p in tmp_path.iterdir()] == ["d.npz"]


@pytest.mark.parametrize("test", [True, False])
def test_pictures_are_written_into_class_folders(tmp_path, test):
    names = np.array([f"x/{i}.jpg" for i in range(6)])
    dataset = made(np.stack([IMAGES] * 3, axis=-1), LABELS, names=names, test=test)
    write_pictures(dataset, tmp_path / "out")
    back = load(tmp_path / "out", test_fraction=0)
    order = np.lexsort((names, LABELS))[np.argsort(["b", "b", "b", "a", "a", "a"], kind="stable")]
    np.testing.assert_array_equal(back.train.elements, dataset.train.elements[order])
    assert back.class_names == ("a 1", "b")
    assert back.train.name_of(0) == ("train/" if test else "") + "a 1/x_1.png"
    assert (len(back.test) if back.test else 0) == 3 * test


def test_files_are_copied_or_linked_as_they_are(tmp_path):
    folder = tmp_path / "in"
    for i, c in enumerate(LABELS):
        path = folder / ("b", "a 1")[c] / f"part {i % 2}{c}" / "same.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[i]).save(path)
    dataset = load(folder, test_fraction=0, resize=2)
    write_pictures(dataset, tmp_path / "copies", folder)
    (tmp_path / "links").mkdir()
    write_pictures(dataset, tmp_path / "links", folder, link=True)
    for out in ("copies", "links"):
        files = sorted(p for p in (tmp_path / out).rglob("*") if p.is_file())
        assert len(files) == len(dataset.train) == 4
        content = {p.read_bytes() for p in files}
        assert content == {p.read_bytes() for p in folder.rglob("*.png")}
        assert all(p.is_symlink() == (out == "links") for p in files)
    assert load(tmp_path / "copies", test_fraction=0).image_shape == (3, 4)


def test_elements_without_labels_are_read_and_written(tmp_path):
    (tmp_path / "flat").mkdir()
    for i, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / "flat" / f"{i}.png")
    np.save(tmp_path / "x.npy", np.eye(4))
    np.savez(tmp_path / "x.npz", embeddings=np.eye(4), names=[*"abcd"])
    pd.DataFrame({"text": ["a b", "c d"], "id": [7, 8]}).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"file": ["0.png", "1.png"]}).to_csv(tmp_path / "flat/f.csv", index=False)
    counts = {"flat": 6, "x.npy": 4, "x.npz": 4, "t.csv": 2, "flat/f.csv": 2}
    for name, count in counts.items():
        if name == "flat":
            (tmp_path / "flat/f.csv").rename(tmp_path / "f.csv")
        if name == "flat/f.csv":
            (tmp_path / "f.csv").rename(tmp_path / "flat/f.csv")
        with pytest.raises(DataError):
            load(tmp_path / name, test_fraction=0)
        dataset = load(tmp_path / name, test_fraction=0, labelled=False)
        assert (len(dataset.train), dataset.class_names) == (count, ("unlabelled",))
    write_npz(load(tmp_path / "x.npz", test_fraction=0, labelled=False), tmp_path / "y.npz")
    again = load(tmp_path / "y.npz", test_fraction=0, labelled=False)
    assert again.train.names.tolist() == [*"abcd"]
    write_pictures(load(tmp_path / "flat", test_fraction=0, labelled=False), tmp_path / "flat2")
    assert sorted(p.name for p in (tmp_path / "flat2").iterdir()) == [f"{i}.png" for i in range(6)]


def test_labels_that_are_there_are_read(tmp_path):
    np.savez(tmp_path / "x.npz", images=IMAGES, labels=LABELS)
    assert load(tmp_path / "x.npz", labelled=False, test_fraction=0).class_names == ("0", "1")


def test_classes_without_elements_are_left_out():
    part = made(IMAGES, LABELS).take(np.array([4, 1]))
    assert part.class_names == ("a 1",)
    assert part.train.labels.tolist() == [0, 0]
    np.testing.assert_array_equal(part.train.elements, IMAGES[[4, 1]])
    np.testing.assert_array_equal(part.test.elements, IMAGES[1:3])
    assert made(IMAGES, LABELS).take(np.array([1, 0])).class_names == ("b", "a 1")


@pytest.mark.parametrize(
    ("dataset", "link", "said"),
    [
        (made(np.eye(6), LABELS, "vectors"), False, "made holds vectors, which are no pictures"),
        (made(IMAGES, LABELS), True, "no folder of files to link to"),
        (made(np.stack([IMAGES] * 2, axis=-1), LABELS), False, "2 channels, which PNG has not"),
    ],
)
def test_what_is_no_folder_of_pictures_is_refused(tmp_path, dataset, link, said):
    with pytest.raises(DataError, match=said):
        write_pictures(dataset, tmp_path / "x", link=link)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b"])
def test_classes_that_are_no_folders_are_refused(tmp_path, name):
    dataset = Dataset("d", Split(IMAGES, np.zeros(6, int)), None, (name,))
    with pytest.raises(DataError, match="cannot be the name of a folder"):
        write_pictures(dataset, tmp_path / "x")


def test_a_folder_with_something_in_it_stays(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    with pytest.raises(OSError, match="not empty"):
        write_pictures(made(IMAGES, LABELS), tmp_path / "x")
    assert [p.name for p in tmp_path.rglob("*")] == ["x", "mine"]
    with pytest.raises(DataError, match="rows"):
        write_npz(made(pd.DataFrame({"a": range(6)}), LABELS, "rows"), tmp_path / "r.npz")
