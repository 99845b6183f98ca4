import mmap

import numpy as np
import pytest

from lcrjax.data import DataError, load

VECTORS = np.random.default_rng(0).random((12, 5), dtype=np.float32)


@pytest.fixture
def npy(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    return tmp_path / "v.npy"


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
def test_the_file_is_mapped_and_not_read(tmp_path, dtype):
    images = dtype == "u1"
    array = np.arange(12 * 20).reshape((12, 5, 4) if images else (12, 20)).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "l.npy", np.arange(12) % 2)
    data = load(tmp_path / "a.npy", labels=tmp_path / "l.npy", test_fraction=0)
    assert data.kind == ("images" if images else "vectors")
    assert is_mapped(data.train.elements)
    np.testing.assert_array_equal(data.train.elements, array)


@pytest.mark.parametrize(
    ("name", "content", "column"),
    [
        ("l.csv", "id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(12)), ""),
        ("l.csv", "id,kind\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(12)), ":kind"),
        ("l.csv", "kind\n" + "a\nb\n" * 6, ""),
        ("l.csv", "a\nb\n" * 6, ""),
        ("l.tsv", "kind\tid\n" + "a\t1\nb\t2\n" * 6, ":kind"),
        ("l.txt", "a\nb\n" * 6 + "\n", ""),
    ],
)
def test_labels_come_from_any_file(npy, name, content, column):
    path = npy.with_name(name)
    path.write_text(content)
    data = load(npy, labels=f"{path}{column}", test_fraction=0)
    assert data.class_names == ("a", "b")
    np.testing.assert_array_equal(data.train_labels, np.arange(12) % 2)


def test_a_test_set_is_held_out(npy):
    np.save(npy.with_name("l.npy"), np.arange(12) % 2)
    data = load(npy, labels=npy.with_name("l.npy"), test_fraction=0.5)
    assert (len(data.train), len(data.test)) == (6, 6)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (None, r"without labels: give their file with labels= \(--labels"),
        ("none.csv", "no file of labels .*none.csv"),
        ("l.csv:knd", "no column 'knd' .*did you mean 'kind'"),
        ("l.csv", "none is called label"),
        ("l.txt:kind", "no table"),
        ("l.txt", "12 training elements but 3 labels"),
        ("gap.txt", r"lacks 1 of \d+ values \(rows 1, counted from 0\)"),
        ("l.json", "labels come from .npy"),
        ("objects.npy", "never unpickled"),
    ],
)
def test_labels_that_do_not_match(npy, labels, match):
    npy.with_name("l.csv").write_text("id,kind\n" + "1,a\n2,b\n" * 6)
    npy.with_name("l.txt").write_text("a\nb\nb")
    npy.with_name("gap.txt").write_text("a\n\nb\n")
    npy.with_name("l.json").write_text("[]")
    np.save(npy.with_name("objects.npy"), np.array(["a", None], dtype=object))
    with pytest.raises(DataError, match=match):
        load(npy, labels=None if labels is None else npy.with_name(labels))


def test_damaged_and_foreign_arrays(tmp_path):
    np.save(tmp_path / "l.npy", np.arange(12) % 2)
    sound = tmp_path / "v.npy"
    np.save(sound, VECTORS)
    whole = sound.read_bytes()
    for content, match in (
        (whole[:-4], "cannot read"),
        (whole[:20], "cannot read"),
        (b"GIF89a" + whole, "not a NumPy array"),
        (whole.replace(b"(12, 5)", b"(92, 5)"), "cannot read"),
        (whole.replace(b"<f4", b"<M4"), "cannot read"),
    ):
        sound.write_bytes(content)
        with pytest.raises(DataError, match=match):
            load(sound, labels=tmp_path / "l.npy")
    broken = VECTORS.copy()
    broken[3, 2] = np.nan
    np.save(sound, broken)
    with pytest.raises(DataError, match="vector 3, component 2"):
        load(sound, labels=tmp_path / "l.npy")
