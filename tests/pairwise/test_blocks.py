"""Neighbours and near-duplicates by pairs of blocks: what all pairs in memory give."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from lcrjax import Stream
from lcrjax.numerics import streams
from lcrjax.pairwise import (
    count_close_pairs,
    intrinsic_dimension,
    list_close_pairs,
    nearest_neighbours,
)
from lcrjax.pairwise.tiling import LARGEST_TILES
from tests.numerics.test_streams import OnDisk
from tests.pairwise.test_neighbours import search

N, M = 300, 130


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 96 bytes images or 32 of floats, in tiles of 32."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 20)
    for what in ("neighbours", "near-duplicates"):
        monkeypatch.setitem(LARGEST_TILES, what, {"other": 32})


@pytest.fixture
def both(rng):
    """Images of few values, in which ties and copies abound, and their classes."""
    images, others = (rng.integers(0, 3, (n, 4, 5), dtype=np.uint8) for n in (N, M))
    images[290], images[150], others[100] = images[3], images[3], images[200]
    return images, rng.integers(0, 3, N), others, rng.integers(0, 4, M)


@pytest.mark.parametrize("others", [None, "stream", "array", "fractions"])
def test_neighbours_and_ties_are_those_of_a_plain_search(both, others):
    images, labels, tests, classes = both
    told = []
    given = [Stream([images[:50], images[50:]]), labels]
    wanted = search(*both) if others else search(images, labels)
    if others:
        its = {"array": tests, "stream": Stream(tests), "fractions": Stream(tests / 255)}[others]
        given += [its, classes]
    found = nearest_neighbours(*given, progress=told.append)
    for near, (index, rmsd) in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(near.index, index)
        np.testing.assert_allclose(near.rmsd, rmsd, rtol=1e-14)
    assert told == sorted(told)
    assert told[-1] == 1


def test_elements_in_memory_among_those_of_a_stream(both):
    images, labels, tests, classes = both
    found = nearest_neighbours(list(tests), classes, Stream(images), labels)
    for near, (index, _) in zip(found, search(tests, classes, images, labels), strict=True):
        np.testing.assert_array_equal(near.index, index)


def test_each_pair_of_blocks_is_read_once(both):
    images, labels = both[:2]
    reads = []

    class Counted(OnDisk):
        def __getitem__(self, at):
            reads.append(at)
            return super().__getitem__(at)

    nearest_neighbours(Stream(Counted(images)), labels)
    blocks = [at for at in reads if at.stop - at.start > 1]
    assert max(at.stop - at.start for at in blocks) == 96
    assert len(blocks) == 4 + 4 * 5 / 2  # one pass that looks at all, and half of the pairs


def test_near_duplicates(both):
    images, labels, tests, _ = both
    own, its = (x.reshape(len(x), -1) / 255 for x in (images, tests))
    between, across = cdist(own, own) / np.sqrt(20), cdist(its, own) / np.sqrt(20)
    candidates = np.arange(N) % 3 > 0
    candidates[3] = True
    limit = 0.7 / 255
    stream, told = Stream(images), []
    for some in (candidates, np.ones(N, bool)):
        found = list_close_pairs(stream, some, limit, progress=told.append)
        close = np.argwhere(np.triu((between <= limit) & some & some[:, None], 1))
        np.testing.assert_array_equal(np.stack(found[:2], 1), close)
        np.testing.assert_allclose(found[2], between[found[0], found[1]], rtol=1e-12)
        pairs = np.triu(some & some[:, None], 1)
        alike = labels == labels[:, None]
        counts = count_close_pairs(stream, labels, some, [0, limit])
        for kind, wanted in zip(counts, (alike, ~alike), strict=True):
            assert kind.tolist() == [
                int((pairs & wanted & (between <= most)).sum()) for most in (1e-9, limit)
            ]
    assert len(close) > 3
    assert told[-1] == 1
    for given in ((tests, stream), (Stream(tests), images)):
        found = list_close_pairs(given[0], np.ones(M, bool), limit, given[1])
        np.testing.assert_array_equal(np.stack(found[:2], 1), np.argwhere(across <= limit))
    assert intrinsic_dimension(stream) == pytest.approx(intrinsic_dimension(images), rel=1e-6)


def test_floats_about_one_centre(rng):
    """Blocks that lie far from each other, with copies in two of them."""
    x = rng.normal(size=(N, 20)).astype("f4") + np.linspace(0, 30, N, dtype="f4")[:, None]
    x[290], x[299] = x[3], x[2] + np.float32(0.01)
    wanted = cdist(x, x) / np.sqrt(20)
    first, second, rmsd = list_close_pairs(Stream(x), np.ones(N, bool), 0.02)
    assert [first.tolist(), second.tolist()] == [[2, 3], [299, 290]]
    np.testing.assert_allclose(rmsd, wanted[first, second], rtol=1e-6)
    np.fill_diagonal(wanted, np.inf)
    within, across = nearest_neighbours(Stream(x), np.zeros(N, int))
    np.testing.assert_array_equal(within.index, wanted.argmin(axis=1))
    np.testing.assert_allclose(within.rmsd, wanted.min(axis=1), rtol=1e-6)
    assert set(across.index) == {-1}


def test_streams_that_do_not_fit(both):
    images, labels = both[:2]
    with pytest.raises(ValueError, match=r"shape \(300, 4, 5\) and others \(300, 2, 5\): "):
        nearest_neighbours(Stream(images), labels, Stream(images[:, :2]), labels)
    with pytest.raises(ValueError, match="labels must be 300 integers"):
        nearest_neighbours(Stream(images), labels[1:])
