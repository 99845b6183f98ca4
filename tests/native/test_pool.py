"""Packed pools: rows of Z, gains and what lies above a floor, against NumPy in float64."""

import ctypes
import gc

import numpy as np
import pytest

from lcrjax import native
from lcrjax.native.pool import PackedPool

pytestmark = pytest.mark.skipif(not native.available(), reason="no compiled kernels")


def elements(kind, n, d, rng):
    x = rng.integers(0, 256, (n, d), np.uint8)
    return x if kind == "bytes" else np.sin(x + 0.1).astype("f4")


def similarities(x, index, rate):
    x = x.astype(float)
    return np.exp(-rate * np.sqrt(((x[index][:, None] - x) ** 2).sum(axis=2)))


@pytest.mark.parametrize(("n", "count"), [(1, 1), (33, 40), (700, 700)])
@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_rows_and_gains(kind, n, count, rng):
    """More rows than are packed together; an element asked for twice; a last panel half empty."""
    x, rate = elements(kind, n, 37, rng), 0.002 if kind == "bytes" else 0.3
    pool, index = PackedPool(x, "exponential", rate), rng.integers(0, n, count)
    z = similarities(x, index, rate)
    rows = pool.rows(index)
    np.testing.assert_allclose(rows, z, atol=1e-5)
    floor, weights = rng.random(n), rng.random(n)
    gains = pool.gains(index, floor, weights)
    wanted = np.maximum(rows.astype(float) - floor, 0) @ weights
    np.testing.assert_allclose(gains, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(gains, pool.gains(index, floor, weights))


def test_what_lies_above(rng):
    """In rows that are no multiple of sixteen long; equal is not above."""
    pool = PackedPool(elements("bytes", 61, 5, rng), "exponential", 0.01)
    index = np.array([3, 60, 7])
    rows = pool.rows(index)
    floor = np.array([rows[0, 5], -1, 1], np.float32)
    counts, places, values = pool.above(index, floor)
    higher = rows > floor[:, None]
    np.testing.assert_array_equal(counts, higher.sum(axis=1))
    assert counts[1] == 61
    assert counts[2] == 0
    np.testing.assert_array_equal(places, np.nonzero(higher)[1])
    np.testing.assert_array_equal(values, rows[higher])


def test_a_place_that_is_none(rng):
    pool = PackedPool(elements("bytes", 5, 5, rng), "exponential", 1.0)
    with pytest.raises(IndexError, match="0 to 4"):
        pool.rows(np.array([5]))


def test_the_pool_outlives_the_array_that_it_was_made_of(rng):
    x = elements("bytes", 50, 20, rng)
    wanted = similarities(x, np.arange(3), 0.01)
    pool = PackedPool(np.asfortranarray(x), "exponential", 0.01)
    del x
    gc.collect()
    np.testing.assert_allclose(pool.rows(np.arange(3)), wanted, atol=1e-6)


def test_it_gives_up_when_told(rng):
    """The flag that Ctrl-C raises is heard in the midst of a call."""
    pool = PackedPool(elements("bytes", 300, 8, rng), "exponential", 1.0)
    flag = ctypes.c_int.in_dll(native.library(), "lcrjax_cancelled")
    flag.value = 1
    try:
        with pytest.raises(KeyboardInterrupt):
            pool.rows(np.arange(300))
    finally:
        flag.value = 0


@pytest.mark.parametrize("form", ["cosine", "linear"])
def test_directions(form, rng):
    """Of any length; zeros are like nothing."""
    x = (rng.normal(size=(50, 20)) * 10.0 ** rng.integers(-5, 6, (50, 1))).astype("f4")
    x[4] = 0
    length = np.linalg.norm(x.astype(float), axis=1, keepdims=True)
    unit = x / np.where(length > 0, length, 1)
    z = unit[:9] @ unit.T
    rows = PackedPool(x, form, 1.0).rows(np.arange(9))
    np.testing.assert_allclose(rows, np.maximum(z, 0) if form == "cosine" else z, atol=1e-5)
