import jax
import numpy as np
import pytest

from lcrjax.numerics.pixels import check_pixels

IMAGES = np.random.default_rng(0).random((12, 5, 4), np.float32)


def changed(value, where):
    images = IMAGES.copy()
    images[where] = value
    return images


@pytest.mark.parametrize("block_bytes", [200, 2**24])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_pixel_that_is_no_number_is_located_in_any_block(value, block_bytes):
    with pytest.raises(ValueError, match=r"scans hold .* \(-?(nan|inf)\) in image 7 at \(2, 3\)"):
        check_pixels(changed(value, (7, 2, 3)), "scans", block_bytes)


@pytest.mark.parametrize("block_bytes", [200, 2**24])
def test_the_range_is_that_of_all_blocks(block_bytes):
    wide = changed(-2, (7, 2, 3))
    wide[0, 0, 0] = 1.5
    with pytest.raises(ValueError, match=r"from -2 to 1.5"):
        check_pixels(wide, block_bytes=block_bytes)


@pytest.mark.parametrize("value", [-0.001, 1.001])
def test_either_end_is_a_limit_which_pixels_may_have(value):
    check_pixels(np.clip(changed(value, (7, 2, 3)), 0, 1))
    with pytest.raises(ValueError, match=f"{value}.* divide by"):
        check_pixels(changed(np.float64(value), (7, 2, 3)).astype("f8"))


def test_pixels_whole_numbers_and_traced_images_pass():
    check_pixels(IMAGES)
    check_pixels(IMAGES[:0])
    check_pixels(np.full((2, 3, 3), 255, np.uint8))
    jax.jit(check_pixels)(IMAGES + 1)
