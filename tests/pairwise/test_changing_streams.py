"""Streams that change while they are computed with: an error, whatever reads them."""

from functools import partial

import numpy as np
import pytest

import lcrjax
from lcrjax.numerics import streams
from lcrjax.pairwise import count_close_pairs, list_close_pairs, nearest_neighbours
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.selection import select

N, D = 200, 6
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (2 * N, D), np.uint8) / np.float32(255)
Y, ALL = np.arange(N) % 3, np.ones(N, bool)
WEIGHTS = np.ones((N, 2), np.float32)
LAPLACIAN = lcrjax.Laplacian(1.0)
measure = partial(lcrjax.measure, labels=Y, similarity=LAPLACIAN)


class Changing:
    """Blocks that are other ones from a pass on."""

    def __init__(self, change=None, then=N, order=None):
        self.change, self.then, self.passes = change, then, 0
        self.order = np.arange(2 * N) if order is None else order

    def __iter__(self):
        self.passes += 1
        changed = self.change and self.passes >= self.change
        n = self.then if changed else N
        x = X[self.order] if changed else X
        return (x[i : min(n, i + 50)] for i in range(0, n, 50))


CALLS = {
    "exact": measure,
    "rows": partial(measure, rows=48),
    "rows and columns": partial(measure, rows=48, columns=48),
    "factors": partial(lcrjax.measure, labels=Y, similarity=lcrjax.Cosine()),
    "many distributions": lambda x: product_of_stream(LAPLACIAN, x, np.ones((N, 33), "f4")),
    "elements": lambda x: product_of_stream(LAPLACIAN, x, WEIGHTS[:9], X[:9]),
    "others": lambda x: product_of_stream(LAPLACIAN, X[:9], WEIGHTS, x),
    "neighbours": lambda x: nearest_neighbours(x, Y),
    "pairs that are listed": lambda x: list_close_pairs(x, ALL, 0.1),
    "pairs that are counted": lambda x: count_close_pairs(x, Y, ALL, [0.1]),
    "pairs of some": lambda x: list_close_pairs(x, Y > 0, 0.1),
    "selection": lambda x: select(x, 5, Y, similarity=LAPLACIAN),
    "selection without labels": lambda x: select(x, 5, similarity=LAPLACIAN, objective="coverage"),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 4 * D)


@pytest.mark.parametrize("call", CALLS)
def test_in_every_pass(call):
    """The first pass looks at one element, the second counts them."""
    steady = Changing()
    CALLS[call](lcrjax.Stream(steady))
    assert steady.passes > 2
    for change in range(3, min(steady.passes, 7) + 1):
        for then in (N - 1, 2 * N):
            source = Changing(change, then)
            with pytest.raises(ValueError, match=f"were {N} in one pass and .* in the next"):
                CALLS[call](lcrjax.Stream(source))
            assert source.passes == change
        source = Changing(change, order=np.roll(np.arange(N), 1))
        with pytest.raises(
            ValueError, match="elements 0 to 199 are others than in an earlier pass"
        ):
            CALLS[call](lcrjax.Stream(source))
        assert source.passes == change
