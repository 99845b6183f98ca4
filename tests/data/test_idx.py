import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import idx_bytes, pixels

FASHION = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts it


@pytest.mark.parametrize(("zipped", "dot"), [(True, False), (False, False), (False, True)])
def test_the_four_files_are_read(idx_folder, arrays, zipped, dot):
    data = load(idx_folder(zipped, dot))
    for split in ("train", "test"):
        np.testing.assert_array_equal(getattr(data, f"{split}_images"), arrays[f"{split}_images"])
        labels = getattr(data, f"{split}_labels")
        np.testing.assert_array_equal(labels, arrays[f"{split}_labels"][:, 0])
    assert data.name == "idx"


def test_a_plain_file_goes_before_a_gzipped_one(idx_folder):
    folder = idx_folder(zipped=False)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"not read")
    assert len(load(folder).train_images) == 12


def refused(folder, match, **options):
    with pytest.raises(DataError, match=match) as caught:
        load(folder, **options)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(idx_folder):
    folder = idx_folder()
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    refused(folder, "lacks t10k-labels-idx1-ubyte")


def head(*shape, kind=8, axes=None):
    axes = len(shape) if axes is None else axes
    return bytes((0, 0, kind, axes)) + struct.pack(f">{len(shape)}I", *shape)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "begins with nothing, not with 00000803"),
        (b"GIF89a" + bytes(300), "begins with 47494638"),
        (head(240), "begins with 00000801"),
        (head(12, 5, 4, kind=13) + bytes(960), "begins with 00000d03"),
        (head(12, 5, 4)[:11], "ends within its header"),
        (head(12, 5, 4) + bytes(239), "claims|ends after"),
        (head(12, 5, 4) + bytes(241), "goes on after"),
        (head(2**32 - 1, 28, 28) + bytes(240), "claims the shape"),
        (head(*[2**32 - 1] * 3) + bytes(240), "claims the shape"),
        (head(0, 5, 4), "empty"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_the_header_says_must_be_there(idx_folder, zipped, content, match):
    folder = idx_folder(zipped)
    path = folder / ("train-images-idx3-ubyte" + ".gz" * zipped)
    path.write_bytes(gzip.compress(content) if zipped else content)
    refused(folder, match)


def test_a_gzipped_bomb_is_left_at_the_end_its_header_states(idx_folder):
    folder = idx_folder()
    bomb = gzip.compress(head(12, 5, 4) + bytes(2**24))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(bomb)
    refused(folder, "goes on after 240 bytes")


def test_a_stated_size_over_the_limit_is_refused_and_the_limit_can_be_raised(idx_folder):
    folder = idx_folder()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head(12, 5, 4) + bytes(240)))
    refused(folder, "limit of 239", max_bytes=239)
    assert len(load(folder, max_bytes=240).train_images) == 12


@pytest.mark.parametrize("cut", [5, 15, -9, -1])
def test_truncated_gzip_is_noticed(idx_folder, cut):
    path = idx_folder() / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:cut])
    refused(path.parent, "cannot read")


def test_a_wrong_checksum_is_noticed(idx_folder):
    path = idx_folder() / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    refused(path.parent, "CRC")


def test_what_is_no_regular_file_is_not_opened(idx_folder):
    path = idx_folder() / "train-images-idx3-ubyte.gz"
    path.unlink()
    path.symlink_to("/dev/zero")
    refused(path.parent, "not a regular file")


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_is_recognised():
    data = load(FASHION)
    assert data.name == "fashion-mnist"
    assert data.train_images.shape == (60_000, 28, 28)
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert np.bincount(data.test_labels).tolist() == [1000] * 10
    assert data.class_names[0] == "T-shirt/top"
    assert data.licence == "MIT"


def write(folder, named, arrays, zipped=True):
    folder.mkdir(exist_ok=True)
    for name, array in zip(named, arrays, strict=True):
        content = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(content) if zipped else content)


TRAIN = (pixels((12, 5, 4)), np.arange(12, dtype=np.uint8) % 3)
TEST = (pixels((6, 5, 4), 1), np.arange(6, dtype=np.uint8) % 3)
COPIES = [
    ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
    ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    ("train_images_idx3_ubyte", "train_labels_idx1_ubyte"),
    ("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx1-ubyte.gz"),
]


@pytest.mark.parametrize("names", COPIES)
@pytest.mark.parametrize("zipped", [True, False])
def test_copies_have_many_names_and_content_says_what_is_gzipped(tmp_path, names, zipped):
    write(tmp_path / "copy", names, TRAIN, zipped)
    tests = [name.replace("train", "t10k") for name in names]
    write(tmp_path / "copy", tests, TEST, not zipped)
    data = load(tmp_path / "copy")
    np.testing.assert_array_equal(data.train_images, TRAIN[0])
    np.testing.assert_array_equal(data.test_labels, TEST[1])
    assert data.notes == ()


@pytest.mark.parametrize("split", ["train", "t10k"])
def test_one_split_alone_is_the_whole_dataset(tmp_path, split):
    names = [name.replace("train", split) for name in COPIES[1]]
    write(tmp_path / "copy", names, TRAIN)
    data = load(tmp_path / "copy", test_fraction=0)
    np.testing.assert_array_equal(data.train_images, TRAIN[0])
    assert data.test is None
    spoken = {"train": "train", "t10k": "test"}[split]
    assert data.notes == (f"Only the {spoken} files are there: they are the whole dataset.",)
    assert len(load(tmp_path / "copy").test) == 3


def test_emnist_is_turned_and_one_of_several_is_named_by_a_file(tmp_path):
    for which in ("letters", "digits"):
        for split, arrays in (("train", TRAIN), ("test", TEST)):
            kinds = ("images-idx3", "labels-idx1")
            names = [f"emnist-{which}-{split}-{kind}-ubyte.gz" for kind in kinds]
            changed = arrays if which == "letters" else (255 - arrays[0], arrays[1])
            write(tmp_path / "gzip", names, changed)
    refused(tmp_path / "gzip", "holds the datasets 'emnist-digits', 'emnist-letters': give a file")
    data = load(tmp_path / "gzip" / "emnist-letters-train-images-idx3-ubyte.gz")
    assert data.name == "emnist-letters"
    np.testing.assert_array_equal(data.train_images, np.moveaxis(TRAIN[0], 1, 2))
    np.testing.assert_array_equal(data.test_images, np.moveaxis(TEST[0], 1, 2))
    assert data.notes == ("EMNIST's files hold transposed images: they were turned.",)


def test_a_folder_called_as_a_file_is_not_one(tmp_path):
    write(tmp_path / "copy", COPIES[1], TRAIN)
    (tmp_path / "copy" / "train-images-idx3-ubyte").mkdir()
    assert len(load(tmp_path / "copy", test_fraction=0).train) == 12
