import pandas as pd
import pytest

from lcrjax.study.plan import Block
from lcrjax.study.progress import TimeLeft


def block(dataset, n, k=4, index=0):
    return Block(dataset, n, index, index * k, [[0] * n] * k, [0] * k)


def rows(epochs, k=4):
    return pd.DataFrame({"epochs": [epochs] * k})


def test_the_estimate_follows_images_epochs_and_pixels():
    blocks = [block("a", 64), block("a", 64, index=1), block("a", 128), block("b", 128)]
    left = TimeLeft(blocks, {"a": 100, "b": 300})
    assert left.seconds() > 0  # a first guess, before anything is known

    left.finished(blocks[0], rows(10), seconds=8.0)

    # Same epochs and rate: 8 s, twice the images: 16 s, and three times the pixels: 48 s.
    assert left.seconds() == pytest.approx(8 + 16 + 48)


def test_epochs_come_from_the_nearest_size_of_the_same_dataset():
    blocks = [block("a", 64), block("a", 512), block("b", 256), block("a", 256)]
    left = TimeLeft(blocks, {"a": 1, "b": 1})
    left.finished(blocks[0], rows(100), seconds=100.0)
    left.finished(blocks[1], rows(10), seconds=80.0)
    left.finished(blocks[2], rows(999), seconds=10.0)

    rate = (4 * 64 * 100 + 4 * 512 * 10) / 180
    assert left.seconds() == pytest.approx(4 * 256 * 10 / rate)


def test_rows_found_on_disk_tell_epochs_but_no_rate():
    blocks = [block("a", 64), block("a", 64, index=1)]
    left = TimeLeft(blocks, {"a": 1})
    guess = left.seconds()
    left.finished(blocks[0], rows(45), seconds=None)
    assert left.seconds() == pytest.approx(guess / 2 * 3)  # 45 epochs where 15 were guessed


def test_within_a_block_time_passes_but_never_runs_out():
    blocks = [block("a", 64), block("a", 64, index=1)]
    left = TimeLeft(blocks, {"a": 1})
    left.finished(blocks[0], rows(10), seconds=10.0)
    assert left.seconds_within(blocks[1], 4.0, 0.0) == pytest.approx(6)
    assert left.seconds_within(blocks[1], 400.0, 0.5) == pytest.approx(0.5)
    left.finished(blocks[1], rows(10), seconds=10.0)
    assert left.seconds() == 0


def test_failed_rows_do_not_upset_the_estimate():
    blocks = [block("a", 64), block("a", 64, index=1)]
    left = TimeLeft(blocks, {"a": 1})
    left.finished(blocks[0], rows(0), seconds=0.1)
    assert left.seconds() >= 0
