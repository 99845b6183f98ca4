"""Z w of streams: what arrays in memory give, whatever the blocks are."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

import lcrjax
from lcrjax.numerics import sources, streams
from lcrjax.numerics.progress import telling
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.similarity.distance_kernels import Laplacian

N = 500


class Apart(lcrjax.TiledSimilarity):
    """By how far first components are apart; further for those that are positive, if directed."""

    directed: bool = dataclasses.field(default=False, metadata={"static": True})

    @property
    def symmetric(self):
        return not self.directed

    def prepare(self, elements):
        return elements[:, 0]

    def block(self, rows, columns):
        far = jnp.where(rows > 0, 3.0, 1.0) if self.directed else jnp.ones_like(rows)
        return 1 / (1 + abs(rows[:, None] - columns[None, :]) * far[:, None])


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 96 or 192 elements of 20 components."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 80)
    monkeypatch.setattr(sources, "_SMALL", 1000)


def vectors(rng, dtype):
    x = rng.normal(size=(N, 4, 5))
    x[-1] = x[0]
    return {
        "bytes": np.clip(100 + 50 * x, 0, 255).astype(np.uint8),
        "fractions": np.clip(100 + 50 * x, 0, 255).astype(np.uint8) / np.float32(255),
        "sixteenths": np.clip(np.rint(8 + 4 * x), 0, 16).astype("f4") / 16,
        "float32": x.astype("f4"),
        "float64": x + 1e4,
        "whole numbers": np.rint(100 * x).astype(np.int64),
    }[dtype]


@pytest.mark.parametrize(
    "dtype", ["bytes", "fractions", "sixteenths", "float32", "float64", "whole numbers"]
)
def test_all_pairs(dtype, small_blocks, rng):
    x, weights = vectors(rng, dtype), rng.random((N, 2)).astype("f4")
    bounded = dtype in ("bytes", "fractions", "sixteenths")
    similarity = lcrjax.RMSD() if bounded else Laplacian(300.0 if dtype == "whole numbers" else 4.0)
    found = product_of_stream(similarity, lcrjax.Stream(x), weights)
    wide = x.reshape(N, -1) / (255 if dtype == "bytes" else 1)
    scale = np.sqrt(20) if bounded else similarity.length
    wanted = np.exp(-cdist(wide, wide) / scale) @ weights.astype(float)
    np.testing.assert_allclose(found, wanted, rtol=1e-6 if bounded else 2e-6)
    assert found.dtype == np.float32
    some = np.arange(0, N, 7)
    across = product_of_stream(similarity, x[some], weights, lcrjax.Stream(x))
    np.testing.assert_allclose(across, wanted[some], rtol=2e-6)
    down = product_of_stream(similarity, lcrjax.Stream(x), weights[some], x[some])
    np.testing.assert_allclose(
        down, np.exp(-cdist(wide, wide[some]) / scale) @ weights[some], rtol=2e-6
    )


def test_told_shares_are_those_of_pairs(small_blocks, rng):
    stream, told = lcrjax.Stream(vectors(rng, "float32")), []
    assert stream.rows_at_once == 96
    with telling(told.append):
        product_of_stream(Laplacian(1.0), stream, np.ones((N, 1), "f4"))
    blocks, pairs = np.split(np.arange(N), range(96, N, 96)), [0.0]
    for i, own in enumerate(blocks):
        pairs.append(len(own) ** 2 / 2)  # each pair once
        pairs += [len(own) * len(other) for other in blocks[i + 1 :]]
    wanted = np.cumsum(pairs) / (N**2 / 2)
    np.testing.assert_allclose(told[::2], wanted[:-1], atol=1e-12)
    np.testing.assert_allclose(told[1::2], wanted[1:], atol=1e-12)


def test_pixels_are_fractions_in_all_blocks_or_in_none(small_blocks, rng):
    """One block alone looks like others: of k/255 among k/16, one float among bytes."""
    x = vectors(rng, "sixteenths")
    x[:200] = x[:200] > 0.5
    x[300, 0, 0] = 0.3
    x[450] = 51 / 255
    weights = np.ones((N, 1), "f4")
    found = product_of_stream(lcrjax.RMSD(), lcrjax.Stream(x), weights)
    np.testing.assert_allclose(found, lcrjax.ordinariness(x, weights), rtol=1e-6)


def test_numbers_beyond_float32_get_one_unit(small_blocks, rng):
    """A block of small numbers is brought into the unit of the largest."""
    x = rng.normal(size=(N, 20)) * 1e-30
    x[400:] *= 1e60
    similarity, weights = Laplacian(1e30), rng.random((N, 1)).astype("f4")
    found = product_of_stream(similarity, lcrjax.Stream(x), weights)
    wanted = np.exp(-cdist(x, x) / 1e30) @ weights.astype(float)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("directed", [False, True])
def test_other_similarities_and_many_distributions(directed, small_blocks, rng):
    """A compiled program serves them, and asymmetric ones both ways."""
    x, weights = rng.normal(size=(300, 20)).astype("f4"), rng.random((300, 40)).astype("f4")
    found = product_of_stream(Apart(directed), lcrjax.Stream([x[:77], x[77:]]), weights)
    first = x[:, 0].astype(float)
    far = np.where(directed & (first > 0), 3, 1)
    z = 1 / (1 + abs(first[:, None] - first) * far[:, None])
    np.testing.assert_allclose(found, z @ weights, rtol=2e-6)


def test_what_is_not_read_in_blocks(rng):
    x = lcrjax.Stream([rng.normal(size=(9, 3)).astype("f4")])
    weights = np.ones((9, 1), "f4")
    for similarity in (lcrjax.RMSD() * lcrjax.Cosine(), lcrjax.Identity(), lcrjax.Gower()):
        with pytest.raises(
            ValueError, match="is not computed block by block: give a similarity of"
        ):
            product_of_stream(similarity, x, weights)
    nan = rng.normal(size=(9, 3)).astype("f4")
    nan[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"hold NaN or infinity, first at \(14, 1\): remove it"):
        product_of_stream(lcrjax.Cosine(), lcrjax.Stream([nan[:4]] * 2 + [nan[:1], nan]), weights)
