import contextlib
import io
import tempfile
import zipfile

import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def zipped(tmp_path, picture_folder):
    """Zip a folder of pictures below some folders, with more members, and return the path."""

    def write(above="", members=(), method=zipfile.ZIP_DEFLATED, **shape):
        folder, written = picture_folder(**shape)
        with zipfile.ZipFile(tmp_path / "pets.zip", "w", method) as archive:
            for path in written:
                archive.write(folder / path, f"{above}{path}")
            for name, content in members:
                archive.writestr(name, content)
        return tmp_path / "pets.zip", written

    return write


@pytest.mark.parametrize("above", ["", "pets-main/", "a/b/"])
def test_pictures_in_class_folders(zipped, above):
    path, written = zipped(above, [("__MACOSX/._a", b"x"), (".DS_Store", b"x")])
    data = load(path)
    expected = [array for file, array in written.items() if file.parts[0] == "train"]
    np.testing.assert_array_equal(data.train_images, expected)
    assert (data.name, data.class_names) == ("pets", ("cat", "dog"))
    assert data.source == "the archive pets.zip"


def test_a_table_alone_and_arrays(tmp_path, save):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a/data.csv", "v,label\n1,x\n2,y\n")
    data = load(tmp_path / "t.zip", test_fraction=0)
    assert data.train.elements.tolist() == [[1], [2]]
    assert load(save().rename(tmp_path / "n.zip")).kind == "images"


def test_errors_name_the_archive_and_not_the_place(zipped, tmp_path):
    path, _ = zipped("top/", [("top/train/cat/9.png", b"not a picture")])
    with pytest.raises(
        DataError, match=r"files of .*pets\.zip/top cannot be read: train"
    ) as caught:
        load(path)
    assert "lcrjax-" not in str(caught.value)


def test_members_do_not_leave_the_place(zipped, tmp_path, monkeypatch):
    deep = tmp_path / "deep" / "place"
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    outside = [("../../../outside.txt", b"x"), (f"{tmp_path}/absolute.txt", b"x")]
    path, _ = zipped(members=outside)
    with zipfile.ZipFile(path) as archive:
        assert "../../../outside.txt" in archive.namelist()
    with contextlib.suppress(DataError):
        load(path)
    assert not list(tmp_path.rglob("*.txt"))


@pytest.mark.parametrize(
    ("members", "options", "match"),
    [
        ([("big.txt", bytes(10**6))], {"max_bytes": 10**5}, "would expand"),
        ([], {"max_bytes": 10}, "would expand"),
    ],
)
def test_bombs_are_refused(zipped, members, options, match):
    path, _ = zipped(members=members)
    with pytest.raises(DataError, match=match):
        load(path, **options)


def test_what_is_no_usable_archive(zipped, tmp_path):
    path, _ = zipped(method=zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match="compressed in a rare way: unpack it"):
        load(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted: unpack it"):
        load(path)
    path.write_bytes(b"PK no archive")
    with pytest.raises(DataError, match=r"cannot read .*: get it anew, or unpack it"):
        load(path)


@pytest.mark.parametrize(
    ("name", "match"),
    [("a.tar.gz", "unpack it"), ("a.pkl", "could run any code"), ("a.xlsx", "save it as CSV")],
)
def test_other_formats_are_said_what_to_do_with(tmp_path, name, match):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(DataError, match=match):
        load(tmp_path / name)


def test_folders_that_windows_wrote_with_backslashes(tmp_path):
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for i in range(4):
            member = zipfile.ZipInfo("x")
            member.filename = f"pets\\{'ab'[i % 2]}\\{i}.png"
            stream = io.BytesIO()
            Image.fromarray(pixels((4, 5), i)).save(stream, "PNG")
            archive.writestr(member, stream.getvalue())
    data = load(tmp_path / "pets.zip", test_fraction=0)
    assert data.class_names == ("a", "b")
    assert data.train.names.tolist() == ["a/0.png", "a/2.png", "b/1.png", "b/3.png"]
