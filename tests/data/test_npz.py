import io
import struct
import zipfile

import numpy as np
import pytest

from lcrjax.data import DataError, load
from lcrjax.data.npz_member import read_claim


def test_medmnist_layout_is_read_as_it_is(save, arrays):
    data = load(save(val_images=np.zeros((2, 5, 4)), val_labels=np.zeros(2)))
    for split in ("train", "test"):
        np.testing.assert_array_equal(getattr(data, f"{split}_images"), arrays[f"{split}_images"])
        labels = getattr(data, f"{split}_labels")
        np.testing.assert_array_equal(labels, arrays[f"{split}_labels"][:, 0])
        assert labels.dtype == np.int64
    assert data.name == "set"
    assert data.class_names == ("0", "1", "2")
    assert (data.n_pixels, data.n_channels, data.n_classes) == (20, 1, 3)


def test_stored_and_compressed_archives_have_one_content(save):
    assert load(save()).content_hash() == load(save(compressed=False)).content_hash()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.asfortranarray(x),
        lambda x: x.astype(">i4"),
        lambda x: x.astype("<u8"),
        lambda x: x.astype(np.int16),
    ],
)
def test_other_layouts_of_the_same_bytes_give_the_same_images(save, arrays, change):
    data = load(save(train_images=change(arrays["train_images"])))
    np.testing.assert_array_equal(data.train_images, arrays["train_images"])
    assert data.train_images.dtype == np.uint8
    assert data.train_images.flags.c_contiguous


def test_big_endian_floats_become_native(save, arrays):
    scaled = {k: (arrays[k] / 255).astype(">f4") for k in ("train_images", "test_images")}
    data = load(save(**scaled))
    assert data.train_images.dtype == np.dtype("=f4")
    assert data.train_images.dtype.isnative
    np.testing.assert_array_equal(data.train_images, scaled["train_images"])


def test_plain_arrays_are_split_class_by_class(tmp_path):
    labels = np.repeat([0, 1, 2], [40, 12, 4])
    images = np.arange(56, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 3), np.uint8)
    np.savez(tmp_path / "plain.npz", images=images, labels=labels)
    data = load(tmp_path / "plain.npz", seed=3)
    assert np.bincount(data.test_labels).tolist() == [10, 3, 1]
    kept = np.concatenate([data.train_images, data.test_images])[:, 0, 0]
    np.testing.assert_array_equal(np.sort(kept), np.arange(56))
    np.testing.assert_array_equal(labels[data.train_images[:, 0, 0]], data.train_labels)
    assert load(tmp_path / "plain.npz", seed=3).content_hash() == data.content_hash()
    assert load(tmp_path / "plain.npz", seed=4).content_hash() != data.content_hash()


def refused(path, match, **options):
    with pytest.raises(DataError, match=match) as caught:
        load(path, **options)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_missing_arrays_are_named(save):
    refused(save(test_labels=None), "lacks test_labels")
    refused(save(train_images=None, train_labels=None), "lacks train_images, train_labels")


def test_object_arrays_are_never_unpickled(save):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    bomb = np.array([Bomb()] * 12, dtype=object)
    refused(save(train_labels=bomb), "Python objects")


def rewrite(path, name, content, **zip_options):
    """Replace one member of an archive."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = content
    with zipfile.ZipFile(path, "w", **zip_options) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def npy(shape, dtype="|u1", data=b"", header=None):
    stream = io.BytesIO()
    text = header or f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text = text.encode().ljust(117) + b"\n"
    stream.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "shape", [(2**40, 28, 28), (2**62, 2**62, 4), (12, 5, 5), (-1, 5, 4), (11, 5, 4)]
)
def test_a_header_must_match_what_is_stored(save, shape):
    refused(rewrite(save(), "train_images.npy", npy(shape, data=bytes(240))), "claims|holds")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not a NumPy array"),
        (b"GIF89a" + bytes(400), "not a NumPy array"),
        (npy((12, 5, 4))[:40], "broken array header"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "version 9"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + bytes(100), "header of 4,294"),
        (npy((), header="{'descr': " + "(" * 90), "broken array header"),
        (npy((), header="{'descr': '|u1'}"), "broken array header"),
        (npy((12,), "|V20", bytes(240)), "store plain numbers"),
        (npy((12,), "(20,)|u1", bytes(240)), "store plain numbers"),
        (npy((True, 5, 4), data=bytes(20)), "cannot read"),
    ],
)
def test_broken_headers_are_refused(save, content, match):
    refused(rewrite(save(), "train_images.npy", content), match)


def test_what_is_no_archive_is_said_to_be_none(tmp_path):
    path = tmp_path / "text.npz"
    path.write_text("not an archive")
    refused(path, "in no format that is read")
    path.write_bytes(b"")
    refused(path, "in no format that is read")


def test_truncation_and_flipped_bits_are_noticed(save):
    path = save(compressed=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "in no format that is read")
    at = whole.index(b"\x93NUMPY") + 140  # among the pixels
    path.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
    refused(path, "CRC")


def test_encrypted_members_are_refused(save):
    path = save()
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    refused(path, "encrypted")


def test_foreign_compression_is_refused(save):
    path = rewrite(save(), "x", b"", compression=zipfile.ZIP_LZMA)
    refused(path, "savez_compressed")


def test_a_bomb_is_refused_before_it_is_read_and_the_limit_can_be_raised(save, monkeypatch):
    zeros = np.zeros((12, 300, 300), np.uint8)
    path = save(compressed=False, train_images=zeros, test_images=zeros[:6])
    whole = path.read_bytes()
    at = whole.index(b"\x93NUMPY") + 140  # among the pixels, where reading would notice
    path.write_bytes(whole[:at] + b"?" + whole[at + 1 :])
    refused(path, "CRC")
    refused(path, "limit of 1,000,000", max_bytes=1_000_000)
    monkeypatch.setenv("LCRJAX_MAX_BYTES", "1000000")
    refused(path, "limit of 1,000,000")
    path.write_bytes(whole)
    assert load(path, max_bytes=10**7).n_pixels == 90_000
    monkeypatch.setenv("LCRJAX_MAX_BYTES", "lots")
    refused(path, "whole number of bytes")


def test_a_size_that_deflate_cannot_reach_is_a_lie(tmp_path):
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", npy((10,), data=bytes(10)))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("images.npy")
        info.file_size = 2**30
        with pytest.raises(DataError, match="cannot hold"):
            read_claim(archive, info, path)
