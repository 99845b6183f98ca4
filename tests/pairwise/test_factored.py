"""Z w of inner products: two passes over the vectors give what all pairs give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax.numerics import streams
from lcrjax.pairwise.factored import are_inner_products, product_of_arrays, vectors_of_array
from lcrjax.pairwise.product import _jitted
from lcrjax.pairwise.streams import product_of_stream

N, D = 300, 20


def of_kind(kind, rng):
    x = rng.normal(size=(N, D))
    found = {
        "normal": x.astype("f4"),
        "positive": np.maximum(x, 0).astype("f4"),
        "one direction": (x + 6).astype("f4"),
        "bytes": rng.integers(0, 256, (N, 4, D // 4), np.uint8),
        "float64": np.abs(x) * 1e-200,
        "huge": np.abs(x).astype("f4") * np.float32(1e37),
    }[kind]
    found[[3, -1]] = 0
    return found


def reference(x, y=None, *, cosine):
    """Of two sets, or of one and itself, in float64 pair by pair."""
    units = []
    for each in (x, x if y is None else y):
        wide = each.reshape(len(each), -1).astype(float)
        wide /= np.maximum(np.abs(wide).max(axis=1, keepdims=True), 1e-300)
        units.append(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-300))
    z = units[0] @ units[1].T
    if cosine:
        z = np.maximum(z, 0)
        if y is None:
            np.fill_diagonal(z, 1)
    return z


@pytest.mark.parametrize("kind", ["positive", "one direction", "bytes", "float64", "huge"])
def test_cosines_of_vectors_without_an_obtuse_angle(kind, rng):
    x, w = of_kind(kind, rng), rng.random((N, 3)).astype("f4")
    canonical = lcrjax.Cosine().canonical(x, None)[1]
    assert are_inner_products(lcrjax.Cosine(), vectors_of_array(np.asarray(canonical)))
    found = lcrjax.ordinariness(x, w, lcrjax.Cosine())
    assert found.dtype == jax.dtypes.canonicalize_dtype(x.dtype if kind == "float64" else "f4")
    np.testing.assert_allclose(found, reference(x, cosine=True) @ w.astype(float), rtol=1e-6)
    some = lcrjax.ordinariness(x[:7], w, lcrjax.Cosine(), others=x)
    np.testing.assert_allclose(some, reference(x[:7], x, cosine=True) @ w, rtol=1e-6, atol=1e-12)


def test_linear_similarities_of_any_vectors(rng):
    x, w = of_kind("normal", rng), rng.random((N, 40)).astype("f4")
    z = reference(x, cosine=False)
    np.testing.assert_allclose(lcrjax.ordinariness(x, w, lcrjax.Linear()), z @ w, atol=1e-5)
    across = lcrjax.ordinariness(x[:9], w, lcrjax.Linear(), others=x)
    np.testing.assert_allclose(across, z[:9] @ w, atol=1e-5)


@pytest.mark.parametrize("place", [0, 150, 299])
def test_one_obtuse_angle_is_found_wherever_it_is(place, rng):
    x, w = of_kind("one direction", rng), rng.random((N, 1)).astype("f4")
    x[place] = -x[5]
    assert product_of_arrays(lcrjax.Cosine(), x, w, None) is None
    assert product_of_arrays(lcrjax.Cosine(), x[5:9], w, x) is None
    found = lcrjax.ordinariness(x, w, lcrjax.Cosine())
    np.testing.assert_allclose(found, reference(x, cosine=True) @ w, rtol=1e-5)


def test_two_sets_within_cones_of_their_own_may_be_at_obtuse_angles(rng):
    x = of_kind("one direction", rng)
    assert product_of_arrays(lcrjax.Cosine(), x, np.ones((N, 1), "f4"), -x) is None


def test_streams(monkeypatch, rng):
    """Both sets may be one, and no pair of blocks is compared."""
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 80)
    monkeypatch.setattr("lcrjax.pairwise.streams.products_of_two", None)
    w = rng.random((N, 2)).astype("f4")
    for kind, similarity in (
        ("normal", lcrjax.Linear()),
        ("positive", lcrjax.Cosine()),
        ("one direction", lcrjax.Cosine()),
        ("bytes", lcrjax.Cosine()),
    ):
        x = of_kind(kind, rng)
        z = reference(x, cosine=similarity == lcrjax.Cosine())
        found = product_of_stream(similarity, lcrjax.Stream(x), w)
        np.testing.assert_allclose(found, z @ w, rtol=1e-6, atol=1e-5)
        found = product_of_stream(similarity, x[:9], w, lcrjax.Stream(x))
        wanted = reference(x[:9], x, cosine=similarity == lcrjax.Cosine()) @ w
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5)
        found = product_of_stream(similarity, lcrjax.Stream(x), w[:9], x[:9])
        wanted = reference(x, x[:9], cosine=similarity == lcrjax.Cosine()) @ w[:9]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5)


def test_a_program_of_linear_similarities_has_no_loop_over_pairs(rng):
    x, w = of_kind("normal", rng)[:50], rng.random((50, 3)).astype("f4")
    compiled = _jitted.lower(lcrjax.Linear(), x, None, w.T, (jnp.int32(50),) * 2, 10).as_text()
    assert "while" not in compiled
    assert "custom_call" not in compiled

    def total(x):
        return jnp.sum(lcrjax.ordinariness(x, w, lcrjax.Linear()) * w)

    def in_full(x):
        unit = x / jnp.maximum(jnp.linalg.norm(x, axis=1, keepdims=True), 1e-30)
        return jnp.sum((unit @ unit.T @ w) * w)

    np.testing.assert_allclose(jax.jit(total)(x), in_full(x), rtol=1e-5)
    slope, wanted = jax.grad(total)(x), jax.grad(in_full)(x)
    rows = np.any(x != 0, axis=1)
    np.testing.assert_allclose(slope[rows], wanted[rows], rtol=1e-4, atol=1e-5)
