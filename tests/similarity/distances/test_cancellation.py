"""Floats within 1e-5 on every path, and their derivatives, against float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax.pairwise import native_product
from tests.compiling import quick_jit

# How to make a similarity of a given length, and what it is at a = distance / length.
KERNELS = {
    "rmsd": (lambda r, d: lcrjax.RMSD(np.sqrt(d) / r), lambda a: np.exp(-a)),
    "laplacian": (lambda r, d: lcrjax.Laplacian(r), lambda a: np.exp(-a)),
    "gaussian": (lambda r, d: lcrjax.Gaussian(r), lambda a: np.exp(-(a**2) / 2)),
    "matern32": (
        lambda r, d: lcrjax.Matern32(r),
        lambda a: (1 + np.sqrt(3) * a) * np.exp(-np.sqrt(3) * a),
    ),
    "matern52": (
        lambda r, d: lcrjax.Matern52(r),
        lambda a: (1 + np.sqrt(5) * a + 5 * a**2 / 3) * np.exp(-np.sqrt(5) * a),
    ),
}
KINDS = ("normal", "near duplicates, far from zero", "heavy tails", "one huge",
         "equal components", "sparse", "clusters", "outlier", "opposite")  # fmt: skip


def distances(x, y):
    x, y = x.astype(float), y.astype(float)
    return np.sqrt(np.stack([np.sum((row - y) ** 2, axis=1) for row in x]))


def vectors(kind, n, d, rng):
    base = rng.normal(size=(n, d))
    half = n // 2
    step = 10.0 ** rng.uniform(-7, 0, (n - half, 1))
    if kind == "near duplicates, far from zero":
        base[half:] = base[: n - half] + step * rng.normal(size=(n - half, d))
        return base / 100 + 100
    if kind == "heavy tails":
        return rng.standard_cauchy((n, d))
    if kind == "one huge":
        base[7] *= 1e4
    if kind == "equal components":  # whose rounding errors would all be the same
        return np.repeat(rng.normal(size=(n, 1)), d, axis=1)
    if kind == "sparse":
        return base * (rng.random((n, d)) < 0.05)
    if kind == "clusters":
        return 2 * rng.normal(size=(4, d))[rng.integers(0, 4, n)] + 0.2 * base
    if kind == "outlier":  # that moves the mean far away from all others
        base[half:] = base[: n - half] + step * rng.normal(size=(n - half, d))
        base[0] = 1e6
    if kind == "opposite":  # far from their mean, and each close to one other
        base[half:] = -1000 + step * base[: n - half]
        base[:half] = 1000 + step[:half] * base[:half]
    return base


def test_every_similarity_of_floats_is_within_1e_5(path, rng):
    """At lengths of the typical distance, and far below the norms."""
    n, d = 130, 75
    one = np.eye(n, dtype="f4")
    for kind in KINDS:
        x = vectors(kind, n, d, rng).astype("f4")
        apart = distances(x, x)
        typical, short = np.median(apart), np.quantile(apart[apart > 0], 0.01)
        for name, (make, profile) in KERNELS.items():
            for length in (np.float32(typical), np.float32(short)):
                kernel, wanted = make(length, d), profile(apart / length)
                prepared = kernel.prepare(jnp.asarray(x))
                served = native_product.serve(kernel, prepared, jnp.ones((1, n), "f4"))
                assert served == (path == "native")
                found, about = lcrjax.ordinariness(x, one, kernel), f"{kind}, {name}({length})"
                np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5, err_msg=about)
                np.testing.assert_array_equal(np.diag(found), 1)
                if name == "laplacian" or path == "native":
                    across = lcrjax.ordinariness(x[:50], one, kernel, others=x)
                    np.testing.assert_allclose(across, wanted[:50], rtol=0, atol=1e-5)


@pytest.mark.parametrize("d", [2, 1000])
def test_traced_programs_keep_to_it_too(d, path, rng):
    """In a batch, of which one item has no close pairs, one has few and one has thousands."""
    n, kernel = 100, lcrjax.Laplacian(0.1)
    x = rng.normal(size=(3, n, d)) / np.sqrt(d)
    x[1, 0] = x[1, 1] + 1e-4
    x[2] = x[2] * 0.01 + 1000 * (2 * (np.arange(n)[:, None] % 2) - 1)
    x = x.astype("f4")
    found = jax.jit(jax.vmap(lambda x: lcrjax.ordinariness(x, jnp.eye(n), kernel)))(x)
    for z, each in zip(found, x, strict=True):
        wanted = np.exp(-distances(each, each) / np.float32(0.1))
        np.testing.assert_allclose(z, wanted, rtol=0, atol=1e-5)


def test_two_far_from_a_third():
    x = np.float32([[1000, 0], [1000.01, 0], [-1000, 0]])
    z = np.exp(-distances(x, x) / np.float32(0.1))
    for tile in (1, 2, 32):
        found = lcrjax.ordinariness(x, np.eye(3), lcrjax.Laplacian(0.1), tile=tile)
        np.testing.assert_allclose(found, z, rtol=0, atol=1e-5)


# Derivatives


def dense(name):
    """Z w by differences, as a function of the length, the vectors and the weights."""
    formula = {
        "rmsd": lambda a: jnp.exp(-a),
        "laplacian": lambda a: jnp.exp(-a),
        "gaussian": lambda a: jnp.exp(-(a**2) / 2),
        "matern32": lambda a: (1 + 3**0.5 * a) * jnp.exp(-(3**0.5) * a),
        "matern52": lambda a: (1 + 5**0.5 * a + 5 * a**2 / 3) * jnp.exp(-(5**0.5) * a),
    }[name]

    def weighed(length, x, weights):
        squared = jnp.sum((x[:, None] - x[None]) ** 2, axis=-1)
        apart = squared > 0
        root = jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1)), 0)
        return formula(root / length) @ weights

    return weighed


def tiled(name):
    def weighed(length, x, weights):
        make = lcrjax.RMSD if name == "rmsd" else None
        kernel = make(x.shape[1] ** 0.5 / length) if make else KERNELS[name][0](length, None)
        return lcrjax.ordinariness(x, weights, kernel, tile=32)

    return weighed


def slopes(weighed):
    return jax.grad(lambda *given: jnp.sum(weighed(*given) ** 2), (0, 1, 2))


@functools.cache
def dense_slopes(name):
    return quick_jit(slopes(dense(name)))


def exact_slopes(name, length, x, weights):
    with jax.enable_x64(True):
        given = (jnp.asarray(np.asarray(v, float)) for v in (length, x, weights))
        return [np.asarray(v) for v in dense_slopes(name)(*given)]


def near_duplicates(rng):
    """Vectors, copies 1e-6 to 1 away, and two that coincide."""
    x = rng.normal(size=(24, 64))
    step = 10.0 ** np.linspace(-6, 0, 23)[:, None] * rng.normal(size=(23, 64)) / 8
    return np.concatenate([x, x[:23] + step, x[:1]]).astype("f4"), rng.random(48).astype("f4")


def assert_close(found, wanted, part=1e-5):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=part * np.abs(other).max())


@pytest.mark.parametrize("name", KERNELS)
def test_derivatives_of_near_duplicates(name, rng):
    x, weights = near_duplicates(rng)
    found = jax.jit(slopes(tiled(name)))
    for length in np.float32([1, 8]):
        assert_close(found(length, x, weights), exact_slopes(name, length, x, weights))


def test_derivatives_equal_finite_differences(rng):
    """In float64, along the vector between two near-duplicates and along another."""
    x, weights = near_duplicates(rng)
    slope = np.asarray(jax.jit(slopes(tiled("laplacian")))(np.float32(4), x, weights)[1], float)
    for i, j in ((20, 44), (14, 38), (10, 34)):
        apart = x[j].astype(float) - x[i]
        for along in (apart / np.linalg.norm(apart), rng.normal(size=64) / 8):
            h = 1e-3 * np.linalg.norm(apart)

            def value(step, i=i, along=along):
                moved = x.astype(float)
                moved[i] += step * along
                return np.sum((np.exp(-distances(moved, moved) / 4) @ weights.astype(float)) ** 2)

            wanted = (value(h) - value(-h)) / (2 * h)
            np.testing.assert_allclose(slope[i] @ along, wanted, rtol=1e-4, atol=1e-3)


def test_derivatives_in_a_batch_where_all_are_close_in_one(rng):
    x, weights = near_duplicates(rng)
    far = np.where(np.arange(48)[:, None] % 2, 1000, -1000)
    both = np.stack([x, (x / 100 + far).astype("f4")])
    batch = jax.jit(jax.vmap(slopes(tiled("laplacian")), (None, 0, None)))
    for length in np.float32([0.1, 10]):
        found = batch(length, both, weights)
        for i, each in enumerate(both):
            wanted = exact_slopes("laplacian", length, each, weights)
            assert_close([v[i] for v in found], wanted)


def test_derivatives_with_respect_to_others_that_are_near_duplicates(rng):
    x, weights = near_duplicates(rng)
    other = x[::-1].copy()

    def total(x, y):
        return jnp.sum(lcrjax.ordinariness(x, weights, lcrjax.RMSD(), others=y) ** 2)

    found = quick_jit(jax.grad(total, (0, 1)))(x, other)
    with jax.enable_x64(True):
        both = jnp.asarray(np.concatenate([x, other]).astype(float))
        w = jnp.asarray(np.concatenate([np.zeros(48), weights]))

        def dense_total(both):
            return jnp.sum(dense("rmsd")(8.0, both, w)[:48] ** 2)

        wanted = np.asarray(quick_jit(jax.grad(dense_total))(both))
    assert_close(found, (wanted[:48], wanted[48:]))


def test_identical_elements_have_finite_derivatives_where_all_are_close(rng):
    x = np.repeat(1000 * rng.normal(size=(1, 64)), 48, axis=0).astype("f4")
    found = jax.jit(slopes(tiled("laplacian")))(np.float32(1), x, rng.random(48).astype("f4"))
    np.testing.assert_array_equal(found[1], 0)
    assert np.isfinite(found[0])
    assert np.isfinite(found[2]).all()
