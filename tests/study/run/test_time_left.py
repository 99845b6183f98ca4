import pandas as pd
import pytest

from lcrjax.study.run.plan import Block
from lcrjax.study.run.time_left import TimeLeft


def block(dataset, n, k=4, index=0):
    return Block(dataset, n, index, index * k, [[0] * n] * k, [0] * k)


def rows(epochs, k=4):
    return pd.DataFrame({"epochs": [epochs] * k})


def train(left, b, epochs, per_model=0.5, per_image=0.01, compilation=30.0):
    """Tell what a machine with these rates would have shown, chunk by chunk."""
    images = b.n * epochs
    for _ in b.seeds:
        left.trained(b.dataset, 0, images - b.n, (images - b.n) * per_image)
        left.trained(b.dataset, 1, b.n, b.n * per_image + per_model)
    seconds = len(b.seeds) * (per_model + images * per_image)
    left.finished(b, rows(epochs), seconds + compilation)


def expected(n, epochs, per_model=0.5, per_image=0.01):
    return 4 * (per_model + n * epochs * per_image)


def test_both_rates_are_learned_and_compilation_is_not_taken_for_training():
    blocks = [block("a", n) for n in (64, 128, 512)]
    left = TimeLeft(blocks, {"a": 100})
    assert left.seconds() > 0  # a first guess, before anything is known
    for b in blocks[:2]:
        train(left, b, epochs=10)
    assert left.seconds() == pytest.approx(expected(512, 10), rel=0.05)


def test_another_dataset_costs_by_its_pixels_and_compiles_again():
    blocks = [block("a", 256), block("b", 256)]
    left = TimeLeft(blocks, {"a": 100, "b": 300})
    train(left, blocks[0], epochs=10)
    assert left.seconds() == pytest.approx(30 + expected(256, 30), rel=0.2)


def test_epochs_come_from_the_nearest_size_of_the_same_dataset():
    blocks = [block("a", 64), block("a", 512), block("b", 256), block("a", 256)]
    left = TimeLeft(blocks, {"a": 100, "b": 100})
    for b, epochs in zip(blocks, (100, 10, 999), strict=False):
        train(left, b, epochs)
    assert left.seconds() == pytest.approx(expected(256, 10), rel=0.05)


def test_rows_found_on_disk_tell_epochs_but_no_rate():
    blocks = [block("a", 6400), block("a", 6400, index=1)]
    left = TimeLeft(blocks, {"a": 1000})
    guess = left.seconds()
    left.finished(blocks[0], rows(30), seconds=None)
    assert left.seconds() == pytest.approx(guess / 2 * 3, rel=0.05)  # 30 epochs instead of 10


def test_within_a_block_time_passes_but_never_runs_out():
    blocks = [block("a", 64), block("a", 64, index=1)]
    left = TimeLeft(blocks, {"a": 100})
    train(left, blocks[0], epochs=10)
    cost = left.seconds()
    assert left.seconds_within(blocks[1], cost / 2, 0.0) == pytest.approx(cost / 2)
    assert left.seconds_within(blocks[1], 100 * cost, 0.5) == pytest.approx(0.05 * cost)
    left.finished(blocks[1], rows(10), seconds=10.0)
    assert left.seconds() == 0


def test_failed_rows_and_odd_stretches_do_not_upset_the_estimate():
    blocks = [block("a", 64), block("a", 64, index=1)]
    left = TimeLeft(blocks, {"a": 1})
    left.trained("a", -3, -100, 0.5)  # a trainer that began anew
    left.finished(blocks[0], rows(0), seconds=0.1)
    assert left.seconds() >= 0
