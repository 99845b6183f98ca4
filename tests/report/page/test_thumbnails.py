import base64
import io

import numpy as np
import pytest
from PIL import Image

from lcrjax.report.page.thumbnails import as_bytes, sprite, thumbnail


def read(uri):
    kind, _, content = uri.removeprefix("data:").partition(";base64,")
    return kind, Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize(
    ("shape", "mode"), [((7, 5), "L"), ((7, 5, 1), "L"), ((7, 5, 3), "RGB"), ((7, 5, 4), "RGB")]
)
def test_small_images_keep_every_pixel(shape, mode):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    kind, picture = read(thumbnail(image))
    assert (kind, picture.mode) == ("image/png", mode)
    np.testing.assert_array_equal(np.asarray(picture), as_bytes(image))
    np.testing.assert_array_equal(as_bytes(image / 255), as_bytes(image))


def test_large_images_are_shrunk_in_proportion():
    image = np.full((400, 200, 3), 90, np.uint8)
    kind, picture = read(thumbnail(image))
    assert (kind, picture.size) == ("image/jpeg", (48, 96))
    assert np.abs(np.asarray(picture).astype(int) - 90).max() < 3


def test_a_sheet_holds_images_row_by_row():
    images = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((5, 2, 3), np.uint8)
    sheet = np.asarray(read(sprite(images, across=2))[1])
    assert sheet.shape == (6, 6)
    np.testing.assert_array_equal(sheet[::2, ::3], [[0, 1], [2, 3], [4, 0]])
