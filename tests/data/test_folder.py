import io
import os
import struct
import zlib

import numpy as np
import pytest

from lcrjax.data import DataError, load

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


def test_training_and_testing_do_too_and_val_is_left_out(picture_folder):
    folder, _ = picture_folder(splits=("Training", "Testing", "val"))
    data = load(folder)
    assert (len(data.train_images), len(data.test_images)) == (8, 8)
    assert data.class_names == ("cat", "dog")


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
    refused(folder, r"dog/2.png is 6×7 pixels but .*cat/0.png is 4×5: .*--resize")
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
    refused(folder, "dog/2.png is grey but .*cat/0.png is in colour")


def test_modes_that_mean_grey_or_colour_are_converted(picture_folder):
    folder, _ = picture_folder()
    replace(folder, Image.new("1", (4, 5), 1))
    assert (load(folder).train_images[6] == 255).all()
    replace(folder, Image.new("LA", (4, 5), (7, 255)))
    assert (load(folder).train_images[6] == 7).all()


@pytest.mark.parametrize(
    ("mode", "colour", "match"),
    [("RGBA", (1, 2, 3, 254), "transparent"), ("I;16", 5, "I;16"), ("LA", (7, 0), "transparent")],
)
def test_modes_without_a_faithful_reading_are_refused(picture_folder, mode, colour, match):
    folder, _ = picture_folder()
    replace(folder, Image.new(mode, (4, 5), colour))
    refused(folder, f"dog/2.png .*{match}")


def test_palettes_become_colour(picture_folder):
    folder, _ = picture_folder(shape=(5, 4, 3))
    palette = Image.new("RGB", (4, 5), (200, 10, 30)).quantize(4)
    replace(folder, palette)
    assert (load(folder).train_images[6] == (200, 10, 30)).all()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60), b"GIF89a"])
def test_what_is_no_picture_is_named(picture_folder, content):
    folder, _ = picture_folder()
    (folder / "train/dog/2.png").write_bytes(content)
    refused(folder, "dog/2.png is no readable PNG or JPEG")


def test_truncated_files_are_named(picture_folder):
    folder, _ = picture_folder(shape=(40, 40))
    path = folder / "train/dog/2.png"
    path.write_bytes(path.read_bytes()[:-300])
    refused(folder, "dog/2.png is no readable PNG or JPEG file .*truncated")


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
    refused(folder, "dog/2.png claims more pixels than Pillow's limit", resize=4)


def test_the_limit_holds_for_a_split_and_can_be_raised(picture_folder):
    folder, _ = picture_folder()
    refused(folder, "limit of 159", max_bytes=159)
    assert len(load(folder, max_bytes=160).train_images) == 8


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
    refused(folder, "leads nowhere")
    link.unlink()
    link.symlink_to(link)
    refused(folder, "leads nowhere")
    link.unlink()
    link.symlink_to("0.png")
    assert len(load(folder).train_images) == 9
    (folder / "train/bird").symlink_to(tmp_path)
    refused(folder, "bird is a link that leads out of")


def test_a_pipe_is_not_opened(picture_folder):
    folder, _ = picture_folder()
    os.mkfifo(folder / "train/dog/9.png")
    refused(folder, "9.png is not a regular file")


def test_files_that_are_no_pictures_are_passed_over_but_other_formats_are_not(picture_folder):
    folder, _ = picture_folder()
    for name in ("notes.txt", "train/dog/.DS_Store", "train/dog/Thumbs.db"):
        (folder / name).write_bytes(b"x")
    assert len(load(folder).train_images) == 8
    Image.new("L", (4, 5)).save(folder / "train/dog/9.bmp")
    refused(folder, "9.bmp is neither PNG nor JPEG")


def test_folders_of_other_shapes_are_refused(picture_folder, tmp_path):
    folder, _ = picture_folder(splits=("train",))
    refused(folder, "'train' but none for the other split")
    refused(folder / "train/cat", "0 class folders")
    (folder / "train/cat/deeper").mkdir()
    refused(folder / "train", "deeper is a folder within a class folder")
    for name in ("a", "b"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    refused(tmp_path / "empty", "no PNG or JPEG file")


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
    refused(folder, r"dog/\\x1b\[2J\\n.png is no readable PNG")
    (folder / "train/dog").rename(folder / "train/d\udcffg")
    refused(folder, r"class folder d\\udcffg has unprintable characters")
