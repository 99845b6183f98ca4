import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels

h5py = pytest.importorskip("h5py")
X, Y = pixels((12, 4, 5)), np.arange(12) % 3


@pytest.fixture
def written(tmp_path):
    def write(arrays, **options):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            for name, array in arrays.items():
                file[name] = array
        return load(tmp_path / "a.h5", **options)

    return write


def test_splits_in_groups_with_text(written):
    words = np.array([b"a", b"b", b"c"])[Y]
    data = written(
        {"train/images": X, "train/labels": words, "test/images": X[:6], "test/labels": words[:6],
         "train/names": [f"n{i}" for i in range(12)]}
    )  # fmt: skip
    np.testing.assert_array_equal(data.train_images, X)
    np.testing.assert_array_equal(data.test_labels, Y[:6])
    assert data.class_names == ("a", "b", "c")
    assert data.train.name_of(3) == "n3"


def test_names_of_classes_and_compressed_chunks(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_dataset("train_set_x", data=X, compression="gzip", chunks=(3, 4, 5))
        file["train_set_y"] = Y
        file["list_classes"] = ["x", "y", "é"]
    data = load(tmp_path / "a.hdf5", test_fraction=0)
    np.testing.assert_array_equal(data.train_images, X)
    assert data.class_names == ("x", "y", "é")


def test_data_in_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["x"] = X
    np.asarray(X).tofile(tmp_path / "raw")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = h5py.ExternalLink("b.h5", "x")
        file["labels"] = Y
    with pytest.raises(DataError, match="lacks images"):
        load(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        outside = [(str(tmp_path / "raw"), 0, X.nbytes)]
        file.create_dataset("images", X.shape, X.dtype, external=outside)
        file["labels"] = Y
    with pytest.raises(DataError, match=r"images in .* lies in other files"):
        load(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        layout = h5py.VirtualLayout(X.shape, X.dtype)
        layout[:] = h5py.VirtualSource(tmp_path / "b.h5", "x", X.shape)
        file.create_virtual_dataset("images", layout)
        file["labels"] = Y
    with pytest.raises(DataError, match=r"images in .* lies in other files"):
        load(tmp_path / "a.h5")


def test_claims_are_checked_and_strange_values_refused(tmp_path, written):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("images", (10**6, 10**6), "u1", chunks=(1000, 1000))
        file["labels"] = Y
    with pytest.raises(DataError, match="would expand"):
        load(tmp_path / "a.h5")
    with pytest.raises(DataError, match=r"labels in .* holds"):
        written({"images": X, "labels": np.zeros(12, [("a", "i4")])})
    (tmp_path / "a.h5").write_bytes(b"no such file")
    with pytest.raises(DataError, match="cannot read"):
        load(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": (5,)}, {"chunks": (5,), "compression": "gzip"},
     {"chunks": (5,), "compression": "gzip", "shuffle": True}, {"maxshape": (None,)}],
)  # fmt: skip
def test_texts_that_claim_more_than_the_file_are_refused(tmp_path, options):
    """HDF5 takes as much memory as a text, or the heap that holds it, says it is long."""
    path, words = tmp_path / "a.h5", [["a", "bc", "bcd"][y] for y in Y]
    with h5py.File(path, "w") as file:
        file["images"] = X
        file.create_dataset("labels", data=words, dtype=h5py.string_dtype(), **options)
    assert load(path, test_fraction=0).class_names == ("a", "bc", "bcd")
    with pytest.raises(DataError, match=r"would expand from .* to 360 bytes"):
        load(path, max_bytes=X.nbytes + 12 * 8 + sum(map(len, words)) - 1)
    sound = path.read_bytes()
    heap = sound.index(b"GCOL")
    end = heap + int.from_bytes(sound[heap + 8 : heap + 16], "little")
    free = 16 + 12 * 24  # after a head and twelve texts, each with a head of its own
    assert int.from_bytes(sound[heap + free + 8 : heap + free + 16], "little") == end - heap - free
    sizes = [(heap + 8, 2**31), (heap + 24, 2**31), (heap + 24, 2**64 - 16), (heap + free + 8, 0)]
    for at, size in sizes:  # a free object of no bytes sends the library round for ever
        path.write_bytes(sound[:at] + size.to_bytes(8, "little") + sound[at + 8 :])
        with pytest.raises(DataError, match=r"labels in .* has texts in a damaged heap: get it"):
            load(path)
    if not options:
        at = sound.index(len(words[0]).to_bytes(4, "little") + heap.to_bytes(8, "little"))
        path.write_bytes(sound[:at] + (2**31).to_bytes(4, "little") + sound[at + 4 :])
        with pytest.raises(DataError, match=r"labels in .* claims texts longer than the file"):
            load(path)


def test_text_that_cannot_be_looked_through_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = X
        file.create_dataset("labels", data=["a", "b"] * 6, compression="lzf")
    with pytest.raises(
        DataError, match=r"labels in .* holds packed text: save it plain or with gz"
    ):
        load(tmp_path / "a.h5")
