"""Choosing from a stream: what elements in memory give, in parts and block by block."""

import numpy as np
import pytest

import lcrjax
from lcrjax.numerics import sources, streams
from lcrjax.pairwise import streamed_pool
from lcrjax.selection import select
from lcrjax.similarity import Laplacian
from lcrjax.similarity.distance_kernels import RMSD

N, D = 90, 5
OBJECTIVES = ("herding", "facility-location", "coverage", "k-centre", "A_1", "G_2", "random")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 32 vectors."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 32 * 4 * D)


@pytest.fixture
def pool(rng):
    """Vectors, classes of which one is small, and elements that are there already."""
    x = rng.normal(size=(N + 4, D)).astype("f4")
    y = np.repeat([0, 1, 2, 0], [40, 45, 5, 4])
    return x[:N], y[:N], (x[N:], y[N:])


def same(found, wanted):
    np.testing.assert_array_equal(found.indices, wanted.indices)
    np.testing.assert_allclose(found.values, wanted.values, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("most", [0, 700, 2**28])
def test_chosen_is_what_is_chosen_in_memory(objective, most, pool, monkeypatch):
    """Parts on disk, small ones alone in memory, and all together in it."""
    monkeypatch.setattr(streamed_pool, "_PART_BYTES", most)
    x, y, there = pool
    for labels, given in ((y, there), (None, None)):
        options = {"objective": objective, "similarity": Laplacian(1.5), "given": given}
        found = select(lcrjax.Stream([x[:50], x[50:]]), 8, labels, **options)
        same(found, select(x, 8, labels, **options))


def test_parts_are_read_together_up_to_some_bytes(pool, monkeypatch):
    x, y, _ = pool
    asked = []

    class Counted(lcrjax.Stream):
        def take(self, index):
            asked.append(len(index))
            return super().take(index)

    places = [np.flatnonzero(y == c) for c in range(3)]
    for most, wanted in ((0, []), (1000, [40, 45 + 5]), (2**20, [90])):
        monkeypatch.setattr(streamed_pool, "_PART_BYTES", most)
        asked.clear()
        parts = list(streamed_pool.StreamedPool(Laplacian(1.5), Counted(x)).parts(places))
        assert list(map(len, parts)) == [40, 45, 5]
        assert asked == wanted
        assert [isinstance(p, streamed_pool.StreamedPool) for p in parts] == [most == 0] * 3


def test_diversities_and_the_usual_similarity(pool):
    x, y, _ = pool
    found, wanted = select(lcrjax.Stream(x), 9, y), select(x, 9, y)
    same(found, wanted)
    assert found.similarity.length == pytest.approx(wanted.similarity.length)
    for mine, its in ((found.before, wanted.before), (found.after, wanted.after)):
        np.testing.assert_allclose(
            mine.dataset_level["alpha"], its.dataset_level["alpha"], rtol=1e-5
        )


def test_large_files_are_read_so_by_themselves(pool, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_SMALL", 100)
    np.save(tmp_path / "x.npy", pool[0])
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = select(mapped, 6, pool[1], similarity="laplacian:1.5")
    assert isinstance(found.elements, lcrjax.Stream)
    same(found, select(pool[0], 6, pool[1], similarity="laplacian:1.5"))


def test_what_is_not_chosen_from_a_stream(pool):
    stream = lcrjax.Stream(pool[0])
    with pytest.raises(ValueError, match="a Identity is not computed block by block"):
        select(stream, 3, similarity=lcrjax.Identity())
    with pytest.raises(ValueError, match=r"images .*\[0, 1\]"):
        select(stream, 3, similarity=RMSD())
    with pytest.raises(ValueError, match="give a whole number from 1 to 90, the pool's"):
        select(stream, 91)
