"""The kernel for GPUs, on threads that play a GPU, against sums in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import RMSD
from lcrjax.native import gpu
from lcrjax.pairwise import gpu_product, gpu_sums
from lcrjax.similarity.distances import squares
from tests.native.emulated_gpu import register


@pytest.fixture(scope="module", params=["HOPPER=0", "HOPPER=1"])
def emulated(request, tmp_path_factory):
    return register(tmp_path_factory.mktemp("gpu"), request.param)


@pytest.fixture(autouse=True)
def on_a_gpu(emulated, monkeypatch):
    monkeypatch.setattr(gpu, "target", lambda: emulated)


def computed(x, weights, others=None, counts=None, scale=1.0, near=None):
    given = [None if a is None else squares.from_bytes(jnp.asarray(a)) for a in (x, others)]
    counts = counts or (len(x), len(weights))
    return gpu_product.traced_product(
        RMSD(scale), *given, jnp.asarray(weights).T, tuple(map(jnp.int32, counts)), 256, near
    ).T


def expected(x, weights, others=None, scale=1.0):
    rows = x.reshape(len(x), -1).astype(np.float64) / 255
    columns = rows if others is None else others.reshape(len(others), -1) / 255
    rmsd = np.sqrt(np.mean((rows[:, None] - columns[None]) ** 2, axis=-1))
    return np.exp(-scale * rmsd) @ np.asarray(weights, np.float64)


def test_one_weight_for_each_element(rng):
    """Classes, of which a tile has few; elements twice; a depth that fills no two pieces."""
    x = rng.integers(0, 256, (300, 9, 9), np.uint8)
    x[200:300] = x[:100]
    weights = np.zeros((300, 5), np.float32)
    weights[np.arange(300), rng.integers(0, 5, 300)] = rng.random(300)
    np.testing.assert_allclose(computed(x, weights), expected(x, weights), rtol=1e-6)


def test_padding_has_no_part(rng):
    """Whose weights are zero; the last tile has padding alone."""
    x = rng.integers(0, 256, (512, 20), np.uint8)
    weights = rng.random((512, 2), np.float32)
    weights[200:] = 0
    found = computed(x, weights, counts=(200, 200))
    np.testing.assert_allclose(found[:200], expected(x[:200], weights[:200]), rtol=1e-6)


def test_others_and_weights_of_either_sign(rng):
    x = rng.integers(0, 256, (256, 130), np.uint8)
    others = rng.integers(0, 256, (256, 130), np.uint8)
    weights = rng.normal(size=(256, 3)).astype(np.float32) * np.float32([1, 1e-6, 1e6])
    found, true = computed(x, weights, others), expected(x, weights, others)
    together = np.abs(weights).sum(axis=0)
    np.testing.assert_allclose(np.asarray(found) / together, true / together, atol=1e-7)


def test_both_sides_of_two_sets(rng):
    """Each pair once; sides of other lengths, with padding, and of other weights by far."""
    x, others = (rng.integers(0, 256, (n, 9, 9), np.uint8) for n in (300, 400))
    weights, its = np.zeros((300, 3), np.float32), np.zeros((400, 3), np.float32)
    weights[np.arange(250), rng.integers(0, 3, 250)] = 1e-3 * rng.random(250)
    its[np.arange(333), rng.integers(0, 3, 333)] = 1e3 * rng.random(333)
    given = [squares.from_bytes(jnp.asarray(a)) for a in (x, others)]
    both = gpu_product.traced_products_of_two(
        RMSD(),
        *given,
        jnp.asarray(weights.T),
        jnp.asarray(its.T),
        (jnp.int32(250), jnp.int32(333)),
        256,
        True,
    )
    own, theirs = (np.asarray(found).T for found in both)
    true = expected(x[:250], its[:333], others[:333])
    np.testing.assert_allclose(own[:250], true, rtol=1e-6)
    true = expected(others[:333], weights[:250], x[:250])
    np.testing.assert_allclose(theirs[:333], true, rtol=1e-6)


def test_sums_do_not_depend_on_the_order(rng):
    """Which is left to chance on a GPU; nor on who says that the kernel reaches them."""
    x = rng.integers(0, 256, (256, 20), np.uint8)
    weights = rng.random((256, 2), np.float32)
    order = np.random.default_rng(1).permutation(256)
    found = computed(x[order], weights[order], near=True)
    np.testing.assert_allclose(found, computed(x, weights)[order], rtol=1e-6)


@pytest.mark.parametrize("scale", [19.0, 60.0])
def test_far_apart(rng, scale):
    """Beyond what integers reach tiles serve."""
    x = rng.integers(0, 2, (256, 40)).astype(np.uint8) * 255  # of one tile
    weights = rng.random((256, 1), np.float32)
    assert gpu_product.within_reach(RMSD(scale)) is None
    found = computed(x, weights, scale=scale)
    np.testing.assert_allclose(found, expected(x, weights, scale=scale), rtol=3e-6)


def test_what_the_kernel_leaves_to_tiles(monkeypatch):
    monkeypatch.setattr(gpu, "available", lambda: True)
    many = squares.from_bytes(jnp.zeros((2048, 20), jnp.uint8))
    weights = jnp.ones((3, 2048), jnp.float32)
    assert gpu_product.serve(RMSD(), many, weights)
    assert not gpu_product.serve(RMSD(), many, jnp.ones((33, 2048), jnp.float32))
    assert not gpu_product.serve(RMSD(), many, weights[:, :100])
    long = squares.from_bytes(jnp.zeros((2048, 40_000), jnp.uint8))
    assert not gpu_product.serve(RMSD(), long, weights)
    floats = squares.from_floats(jnp.zeros((2048, 20)), jnp.zeros(20))
    assert not gpu_product.serve(RMSD(), floats, weights)


def test_what_is_not_padded_to_whole_tiles_is_refused(monkeypatch):
    """The kernel would read beyond it."""
    monkeypatch.setattr(gpu_sums, "COLUMNS", gpu_sums.ROWS)
    with pytest.raises((ValueError, jax.errors.JaxRuntimeError), match="do not fit together"):
        np.asarray(computed(np.zeros((300, 3), np.uint8), np.ones((300, 2), np.float32)))
