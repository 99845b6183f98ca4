"""Exact measures of streams: two numbers an element, and what arrays in memory give."""

import tracemalloc

import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax.numerics import groupings, streams
from lcrjax.pairwise import streams as pairs

N = 482  # two elements are in the last block of 96


class Signed(lcrjax.TiledSimilarity):
    """Cosines, the negative ones too."""

    def prepare(self, elements):
        return elements / jnp.linalg.norm(elements, axis=1, keepdims=True)

    def block(self, rows, columns):
        return rows @ columns.T


def test_memory_does_not_grow_with_classes(rng, monkeypatch):
    monkeypatch.setattr(pairs, "_MOST_ROWS", 960)
    monkeypatch.setattr(groupings, "_AT_ONCE", 1024)
    n, count = 20_000, 30
    x, labels = rng.integers(0, 256, (n, 4), np.uint8), np.arange(n) % count
    stream = lcrjax.Stream([x])
    lcrjax.measure(lcrjax.Stream([x[:2000]]), labels[:2000])  # compiles, and imports
    tracemalloc.start()
    lcrjax.measure(stream, labels)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100 * n, "a table of all sums takes 240 an element"


def test_parts_of_sums_may_be_negative(rng, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 80)
    x, labels = (rng.normal(size=(N, 20)) + 0.9).astype("f4"), np.arange(N) % 2
    length = np.linalg.norm(x, axis=1)
    z = x @ x.T / np.outer(length, length)
    sums = np.stack([z[:, labels == c].sum(axis=1) for c in (0, 1)])
    assert sums.min() > 0 > z[:, 480:].min()
    found = lcrjax.measure(lcrjax.Stream(x), labels, similarity=Signed())
    wanted = lcrjax.measure(x, labels, similarity=Signed())
    for name in ("alpha", "rho", "gamma"):
        np.testing.assert_allclose(
            found.class_level[name], wanted.class_level[name], rtol=2e-6, err_msg=name
        )


def test_sums_that_are_negative_are_refused(rng, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 80)
    x, labels = (rng.normal(size=(N, 20)) + 0.9).astype("f4"), np.arange(N) % 2
    x[300] = -x[301]
    with pytest.raises(ValueError, match=r"of element 300 to class .0. add up to -"):
        lcrjax.measure(lcrjax.Stream(x), labels, similarity=Signed())
