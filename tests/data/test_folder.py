import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from lcrjax.data import DataError, load
from tests.data.picture_files import png_of

Image = pytest.importorskip("PIL.Image")


def test_splits_classes_and_pixels(picture_folder):
    folder, written = picture_folder()
    data = load(folder)
    assert data.class_names == ("cat", "dog")
    assert data.name == "pictures"
    for split in ("train", "test"):
        paths = sorted(p for p in written if p.parts[0] == split)
        images, labels = getattr(data, f"{split}_images"), getattr(data, f"{split}_labels")
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, [written[p] for p in paths])
        np.testing.assert_array_equal(labels, [p.parts[1] == "dog" for p in paths])


def test_without_splits_a_test_set_is_held_out(picture_folder):
    folder, written = picture_folder(splits=("",))
    data = load(folder, test_fraction=0.5)
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    every = {x.tobytes() for x in (*data.train_images, *data.test_images)}
    assert every == {x.tobytes() for x in written.values()}


def test_training_and_testing_do_too_and_val_is_left_out_and_said(picture_folder):
    folder, _ = picture_folder(splits=("Training", "Testing", "val"))
    data = load(folder)
    assert (len(data.train_images), len(data.test_images)) == (8, 8)
    assert data.class_names == ("cat", "dog")
    assert data.notes == ("Of the folders Training and Testing was read; left out: val.",)


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_validation_is_the_test_set_where_there_is_no_other(picture_folder, name):
    folder, written = picture_folder(splits=("train", name))
    data = load(folder)
    tests = [array for path, array in sorted(written.items()) if path.parts[0] == name]
    np.testing.assert_array_equal(data.test_images, tests)
    assert data.test.names[0] == f"{name}/cat/0.png"


def test_train_alone_is_the_whole_dataset(picture_folder):
    folder, _ = picture_folder(splits=("train",))
    data = load(folder, test_fraction=0)
    assert len(data.train) == 8
    assert data.test is None
    assert len(load(folder, test_fraction=0.25).test) == 2


def test_a_class_may_be_called_train(picture_folder):
    folder, _ = picture_folder(splits=("",), classes=("train", "car", "test"))
    assert load(folder, test_fraction=0).class_names == ("car", "test", "train")


def test_names_are_paths_within_the_folder_and_classes_come_in_natural_order(picture_folder):
    folder, written = picture_folder(splits=("",), classes=("10", "9", "été", "ネコ", "می\u200cخ"))
    data = load(folder, test_fraction=0)
    assert data.class_names == ("9", "10", "été", "می\u200cخ", "ネコ")
    named = {str(path): array for path, array in written.items()}
    assert set(data.train.names) == set(named)
    for name, image, label in zip(
        data.train.names, data.train_images, data.train_labels, strict=True
    ):
        np.testing.assert_array_equal(image, named[name])
        assert data.class_names[label] == name.split("/")[0]


def test_names_are_compared_in_composed_form(picture_folder):
    folder, _ = picture_folder(classes=("caf\u00e9", "tea"))
    (folder / "test/caf\u00e9").rename(folder / "test/cafe\u0301")
    assert load(folder).class_names == ("caf\u00e9", "tea")


def test_one_class_can_be_read(picture_folder):
    folder, _ = picture_folder(splits=("",), classes=("cat",))
    assert load(folder, test_fraction=0).class_names == ("cat",)


def test_colour_is_kept(picture_folder):
    folder, written = picture_folder(shape=(5, 4, 3))
    data = load(folder)
    assert data.train_images.shape == (8, 5, 4, 3)
    first = min(path for path in written if path.parts[0] == "train")
    np.testing.assert_array_equal(data.train_images[0], written[first])
    assert data.n_channels == 3


def test_jpeg_is_read_as_pillow_reads_it(picture_folder):
    folder, _ = picture_folder(shape=(16, 16), suffix=".jpg")
    expected = np.asarray(Image.open(folder / "train/cat/0.jpg"))
    np.testing.assert_array_equal(load(folder).train_images[0], expected)


def replace(folder, image, name="train/dog/2.png", **options):
    image.save(folder / name, **options)


def refused(folder, match, **options):
    with pytest.raises(DataError, match=match) as caught:
        load(folder, **options)
    assert "\n" not in str(caught.value)


def test_the_first_image_of_another_size_is_named_and_resize_helps(picture_folder):
    folder, _ = picture_folder()
    replace(folder, Image.new("L", (6, 7), 9))
    refused(folder, r"dog/2.png is 6×7 pixels but .*cat/0.png is 4×5 pixels: .*--resize")
    data = load(folder, resize=(3, 2))
    assert data.train_images.shape == (8, 3, 2)
    assert (data.train_images[6] == 9).all()


def test_sizes_are_compared_between_splits(picture_folder):
    folder, _ = picture_folder()
    for name in ("cat", "dog"):
        for i in range(4):
            replace(folder, Image.new("L", (6, 7)), f"test/{name}/{i}.png")
    refused(folder, "test/cat/0.png is 6×7 pixels but .*train/cat/0.png is 4×5")


def test_grey_among_colour_is_named(picture_folder):
    folder, _ = picture_folder(shape=(5, 4, 3))
    replace(folder, Image.new("L", (4, 5)))
    refused(folder, "dog/2.png is grey but .*cat/0.png is in colour: .*--mode")
    grey, colour = load(folder, mode="grey"), load(folder, mode="rgb")
    assert grey.train_images.shape == (8, 5, 4)
    assert colour.train_images.shape == (8, 5, 4, 3)
    assert not grey.train_images[6].any()
    assert not colour.train_images[6].any()


def test_deep_pictures_among_others_are_named_and_a_mode_brings_them_together(picture_folder):
    folder, written = picture_folder()
    deep = np.arange(20, dtype=np.uint16).reshape(5, 4) * 3000
    (folder / "test/dog/1.png").write_bytes(png_of(deep, 16))
    refused(folder, "dog/1.png is of more than 8 bits per channel but train/cat/0.png is of 8 bits")
    data = load(folder, mode="grey")
    assert data.train_images.dtype == data.test_images.dtype == np.float32
    np.testing.assert_array_equal(data.test_images[5], deep / np.float32(65535))
    expected = written[Path("train/cat/0.png")] / np.float32(255)
    np.testing.assert_array_equal(data.train_images[0], expected)


def test_modes_that_mean_grey_or_colour_are_converted(picture_folder):
    folder, _ = picture_folder()
    replace(folder, Image.new("1", (4, 5), 1))
    assert (load(folder).train_images[6] == 255).all()
    replace(folder, Image.new("LA", (4, 5), (7, 255)))
    assert (load(folder).train_images[6] == 7).all()


def test_all_damaged_files_are_named_at_once(picture_folder):
    folder, _ = picture_folder()
    for name in ("train/cat/1.png", "test/dog/3.png"):
        (folder / name).write_bytes(b"?")
    refused(folder, r"2 of 16 files .*: train/cat/1.png \(.*, test/dog/3.png \(")
    data = load(folder, skip_damaged=True)
    assert (len(data.train), len(data.test)) == (7, 7)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60), b"GIF89a"])
def test_what_is_no_picture_is_named(picture_folder, content):
    folder, _ = picture_folder()
    (folder / "train/dog/2.png").write_bytes(content)
    refused(folder, r"1 of 16 files of .* cannot be read: train/dog/2.png \(.*--skip-damaged")
    data = load(folder, skip_damaged=True)
    assert len(data.train) == 7
    assert "train/dog/2.png" not in data.train.names
    assert "1 of 16 files" in data.notes[0]
    assert "train/dog/2.png" in data.notes[0]


def test_truncated_files_are_named(picture_folder):
    folder, _ = picture_folder(shape=(40, 40))
    path = folder / "train/dog/2.png"
    path.write_bytes(path.read_bytes()[:-300])
    refused(folder, "dog/2.png .*truncated")


def png_claiming(width, height):
    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [2**31 - 1, 20_000, 10_000])
def test_decompression_bombs_are_refused(picture_folder, side):
    folder, _ = picture_folder()
    (folder / "train/dog/2.png").write_bytes(png_claiming(side, side))
    refused(folder, "dog/2.png .*(more than the limit of 268,435,456|than it can hold)", resize=4)


def test_the_limit_holds_and_can_be_raised(picture_folder):
    folder, _ = picture_folder()
    refused(folder, "limit of 319", max_bytes=319)
    assert len(load(folder, max_bytes=320).train_images) == 8


def test_links_that_leave_the_folder_are_refused(picture_folder, tmp_path):
    folder, _ = picture_folder()
    outside = tmp_path / "outside.png"
    Image.new("L", (4, 5)).save(outside)
    link = folder / "train/dog/9.png"
    link.symlink_to(outside)
    refused(folder, r"9.png is a link that leads out of")
    link.unlink()
    link.symlink_to("../../../outside.png")
    refused(folder, r"9.png is a link that leads out of")
    link.unlink()
    link.symlink_to("nowhere.png")
    refused(folder, r"1 of 17 files .* train/dog/9.png \(No such file")
    assert len(load(folder, skip_damaged=True).train) == 8
    link.unlink()
    link.symlink_to(link)
    refused(folder, r"1 of 17 files .* train/dog/9.png \(Too many levels")
    link.unlink()
    link.symlink_to("0.png")
    assert len(load(folder).train_images) == 9
    (folder / "train/bird").symlink_to(tmp_path)
    refused(folder, "bird is a link that leads out of .*--follow-links")
    (folder / "train/bird").unlink()
    link.unlink()
    link.symlink_to(outside)
    data = load(folder, follow_links=True)
    assert len(data.train) == 9
    assert not data.train_images[8].any()
    assert data.train.names[8] == "train/dog/9.png"


def test_a_pipe_is_not_opened(picture_folder):
    folder, _ = picture_folder()
    os.mkfifo(folder / "train/dog/9.png")
    refused(folder, "9.png is not a regular file")


def test_other_files_are_counted_and_named_and_system_files_are_not(picture_folder):
    folder, _ = picture_folder()
    for name in ("notes.txt", "train/dog/.DS_Store", "train/dog/Thumbs.db", "train/cat/._0.png"):
        (folder / name).write_bytes(b"x")
    for name in ("__MACOSX", "@eaDir", "lost+found", ".ipynb_checkpoints"):
        (folder / "train" / name).mkdir()
        (folder / "train/dog" / name).mkdir()
    assert load(folder).notes == ()
    for name in ("train/cat/a.heic", "test/dog/b.heic", "test/dog/README"):
        (folder / name).write_bytes(bytes(200))
    (note,) = load(folder).notes
    assert note == (
        "Left out: 3 files in class folders that no format of pictures fits: 2 .heic, "
        "1 no suffix (the first: train/cat/a.heic)."
    )
    Image.new("L", (4, 5)).save(folder / "train/dog/9.bmp")
    assert len(load(folder).train) == 9


def test_pictures_beside_class_folders_and_empty_classes_are_said(picture_folder):
    folder, _ = picture_folder()
    replace(folder, Image.new("L", (4, 5)), "train/stray.png")
    (folder / "train/emu").mkdir()
    (folder / "test/yak").mkdir()
    (folder / "test/yak/notes.txt").write_bytes(b"x")
    data = load(folder)
    assert data.class_names == ("cat", "dog")
    text = " ".join(data.notes)
    assert "Left out: 1 picture beside the class folders (the first: train/stray.png)" in text
    assert "Class folders without pictures were left out: emu, yak." in text


def test_folders_of_other_shapes_are_refused(picture_folder, tmp_path):
    folder, _ = picture_folder(splits=("test",))
    refused(folder, "a folder 'test' but no folder 'train'")
    refused(folder / "test/cat", "pictures, but not in class folders")
    refused(tmp_path, "a folder 'test' but no folder 'train'")
    for name in ("a", "b"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    refused(tmp_path / "empty", "no files in class folders")
    (tmp_path / "empty/a/x.txt").write_bytes(b"x")
    refused(tmp_path / "empty", "holds no picture. Left out: 1 file in")


def test_a_folder_that_holds_one_of_folders_is_opened(picture_folder, tmp_path):
    folder, _ = picture_folder()
    folder.rename(tmp_path / "inner")
    (tmp_path / "outer").mkdir()
    (tmp_path / "inner").rename(tmp_path / "outer/inner")
    data = load(tmp_path / "outer")
    assert (len(data.train), len(data.test), data.name) == (8, 8, "outer")
    assert data.train.names[0] == "inner/train/cat/0.png"


def test_folders_in_class_folders_are_parts_of_it_unless_they_may_be_the_classes(picture_folder):
    patients = [f"{kind}/{kind}{i}" for kind in ("benign", "malign") for i in range(2)]
    folder, written = picture_folder(splits=("",), classes=patients)
    data = load(folder, test_fraction=0)
    assert data.class_names == ("benign", "malign")
    np.testing.assert_array_equal(data.train_images, [written[path] for path in sorted(written)])
    assert data.train.names[4] == "benign/benign1/0.png"
    assert data.notes == (
        "Folders within class folders were read as parts of the classes "
        "(the first: benign/benign0).",
    )
    (folder / "malign/malign1/round").symlink_to("..")
    refused(folder, "malign1/round is a link to a folder within a class folder")
    (folder / "malign/malign1/round").unlink()
    (folder / "malign/malign1").rename(folder / "malign/benign1")
    refused(folder, "benign/benign0 is a folder within a class folder, .* call it train or test")


def test_a_class_needs_training_images(picture_folder):
    folder, _ = picture_folder()
    (folder / "test/emu").mkdir()
    replace(folder, Image.new("L", (4, 5)), "test/emu/0.png")
    refused(folder, "class 'emu' has no training element, though")


def test_content_decides_not_the_suffix(picture_folder):
    folder, _ = picture_folder(shape=(16, 16))
    stream = io.BytesIO()
    Image.new("L", (16, 16), 77).save(stream, "JPEG")
    (folder / "train/dog/2.png").write_bytes(stream.getvalue())
    assert (load(folder).train_images[6] == 77).all()


def test_unprintable_names_do_not_reach_the_terminal(picture_folder):
    folder, _ = picture_folder()
    (folder / "train/dog/\x1b[2J\n.png").write_bytes(b"")
    refused(folder, r"dog/\\x1b\[2J\\n.png ")
    data = load(folder, skip_damaged=True)
    assert all(note.isprintable() for note in data.notes)
    (folder / "train/dog").rename(folder / "train/d\udcffg")
    refused(folder, r"class folder d\\udcffg has unprintable characters")


def test_a_link_to_nothing_is_said_to_be_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("/nowhere/b")
    with pytest.raises(DataError, match=r"b is a link to what is not there: mend it or remove it"):
        load(tmp_path)
