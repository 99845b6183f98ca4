import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from tests import reference

S = 8  # pooled distributions of one size: a compilation for each measure
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)
MEASURES = {"relative": lcrjax.relative_diversity, "cross": lcrjax.cross_diversity}


def wanted(name, p, r, z, q):
    p, r = p / p.sum(), r / r.sum()
    zp, zr = z @ p, z @ r
    own = p > 0
    if name == "relative":
        return reference.plain_power_mean(q - 1, p[own], zp[own] / zr[own])
    return reference.plain_power_mean(1 - q, p[own], 1 / zr[own])


def abundances(low=0.0):
    return hnp.arrays(np.float64, S, elements=st.floats(0.01, 1) | st.just(low))


def similarity(rng):
    z = np.exp(-3 * rng.random((S, S)))
    np.fill_diagonal(z, 1)
    return z


@pytest.mark.parametrize("name", MEASURES)
@given(p=abundances(), r=abundances(), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_equal_their_definitions(name, p, r, seed):
    p[0] = r[0] = 0.5
    z = similarity(np.random.default_rng(seed))
    for q in np.float64(np.float32(Q)):
        found = MEASURES[name](p, r, z, q)
        assert found.shape == ()
        np.testing.assert_allclose(found, wanted(name, p, r, z, q), rtol=1e-6)


@pytest.mark.parametrize("name", MEASURES)
def test_float64(name, x64, rng):
    p, r, z = rng.random(S), rng.random(S), similarity(rng)
    for q in Q:
        found = MEASURES[name](p, r, z, q)
        assert found.dtype == jnp.float64
        np.testing.assert_allclose(found, wanted(name, p, r, z, q), rtol=1e-12)


@given(p=abundances(0.01), r=abundances(0.01))
@settings(max_examples=15)
def test_of_unlike_elements_at_order_one_they_are_kullback_leibler_and_cross_entropy(p, r):
    share, other = p / p.sum(), r / r.sum()
    divergence = np.sum(share * np.log(share / other))
    found = np.log(float(lcrjax.relative_diversity(p, r, None, 1)))
    np.testing.assert_allclose(found, divergence, rtol=1e-5, atol=1e-6)
    entropy = -np.sum(share * np.log(other))
    found = np.log(float(lcrjax.cross_diversity(p, r, None, 1)))
    np.testing.assert_allclose(found, entropy, rtol=1e-5, atol=1e-6)


def test_equal_distributions(rng):
    p, z = rng.random(S), similarity(rng)
    for q in Q:
        np.testing.assert_allclose(lcrjax.relative_diversity(p, 2 * p, z, q), 1, rtol=1e-6)
        gamma = lcrjax.diversity(p, z, q=q).dataset_level["gamma"][0]
        np.testing.assert_allclose(lcrjax.cross_diversity(p, 2 * p, z, q), gamma, rtol=1e-6)


def test_elements_that_nothing_in_the_other_is_like():
    p, r = np.array([1, 1, 0, 0, 0, 0, 0, 0]), np.array([0, 1, 1, 0, 0, 0, 0, 0])
    assert lcrjax.relative_diversity(p, r, None, 1) == np.inf
    assert lcrjax.relative_diversity(p, r, None, np.inf) == np.inf
    np.testing.assert_allclose(lcrjax.relative_diversity(p, r, None, 0), 2, rtol=1e-6)


@pytest.mark.parametrize("name", MEASURES)
def test_between_classes(name, rng):
    p, r, z = rng.random((S, 3)), rng.random((S, 2)), similarity(rng)
    r[4] = 0
    found = MEASURES[name](p, r, z, 2, between="classes")
    assert found.shape == (3, 2)
    for i in range(3):
        for j in range(2):
            value = wanted(name, p[:, i], r[:, j], z, 2.0)
            np.testing.assert_allclose(found[i, j], value, rtol=1e-6)
    pooled = MEASURES[name](p, r, z, 2)
    np.testing.assert_allclose(pooled, wanted(name, p.sum(1), r.sum(1), z, 2.0), rtol=1e-6)


@pytest.mark.parametrize("name", MEASURES)
def test_elements_and_frames(name, rng):
    vectors, p, r = rng.normal(size=(S, 3)).astype("f4"), rng.random(S), rng.random(S)
    z = np.asarray(lcrjax.ordinariness(vectors, np.eye(S), lcrjax.Gaussian(2.0)))
    found = MEASURES[name](p, r, lcrjax.Gaussian(2.0), 2, elements=vectors)
    np.testing.assert_allclose(found, MEASURES[name](p, r, z, 2), rtol=2e-6)
    names = [f"e{i}" for i in range(S)]
    frames = (pd.DataFrame({"a": x}, index=names) for x in (p, r))
    similar = pd.DataFrame(z, index=names, columns=names)
    np.testing.assert_allclose(MEASURES[name](*frames, similar, 2), found, rtol=2e-6)


@pytest.mark.parametrize("name", MEASURES)
def test_order_may_be_traced_and_differentiated(name, rng, x64):
    p, r, z = rng.random(S), rng.random(S), similarity(rng)
    slope = jax.jit(jax.grad(lambda q: MEASURES[name](p, r, jnp.asarray(z), q)))
    for q in (1.0, 2.0):
        h = 1e-5
        values = [wanted(name, p, r, z, q + s * h) for s in (1, -1)]
        np.testing.assert_allclose(slope(q), (values[0] - values[1]) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("p", "r", "z", "options", "message"),
    [
        ([1, 2], [1, 2, 3], None, {}, "p counts 2 elements and r 3"),
        ([1, -2], [1, 2], None, {}, "count of element 1"),
        ([1, 2], [0, 0], None, {}, "all counts are zero"),
        ([1, 2], [1, 2], np.eye(3), {}, r"shape \(3, 3\), but there are 2 rows"),
        ([1, 2], [1, 2], np.ones((2, 3)), {}, "must be square"),
        ([1, 2], [1, 2], None, {"q": -1}, "viewpoints"),
        ([1, 2], [1, 2], None, {"q": np.nan}, "viewpoints"),
        ([1, 2], [1, 2], None, {"q": [[0, 1]]}, "q has shape"),
        ([1, 2], [1, 2], None, {"between": "rows"}, "between is 'rows'"),
        ([1, 2], [1, 2], lcrjax.RMSD(), {}, "RMSD compares elements"),
    ],
)
def test_bad_input_is_named(name, p, r, z, options, message):
    with pytest.raises(ValueError, match=message):
        MEASURES[name](p, r, z, **options)


@pytest.mark.parametrize("name", MEASURES)
def test_names_of_elements_must_agree(name):
    p = pd.DataFrame({"x": [0.2, 0.8]}, index=["a", "b"])
    r = pd.DataFrame({"x": [0.2, 0.8]}, index=["b", "a"])
    with pytest.raises(ValueError, match="row 0 of p is 'a' and row 0 of r 'b'"):
        MEASURES[name](p, r)


@pytest.mark.parametrize("name", MEASURES)
def test_elements_must_fit_the_counts(name, rng):
    with pytest.raises(ValueError, match="3 elements but 2 rows"):
        MEASURES[name]([1, 2], [1, 2], lcrjax.Gaussian(), elements=rng.normal(size=(3, 2)))


@pytest.mark.parametrize("name", MEASURES)
def test_integers_beside_float64(name, x64):
    found = MEASURES[name](np.array([1, 3]), np.array([0.5, 0.5]), None, 2)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, MEASURES[name]([0.25, 0.75], [0.5, 0.5], None, 2), rtol=1e-6)


@pytest.mark.parametrize("between", ["datasets", "classes"])
@pytest.mark.parametrize("name", MEASURES)
def test_many_viewpoints_are_each_alone(name, between, rng):
    p, r, z = rng.random((S, 2)), rng.random((S, 3)), similarity(rng)
    found = MEASURES[name](p, r, z, Q, between=between)
    each = [MEASURES[name](p, r, z, q, between=between) for q in Q]
    np.testing.assert_array_equal(found, each)
    assert found.shape == ((len(Q),) if between == "datasets" else (len(Q), 2, 3))
    with pytest.raises(ValueError, match=r"q has shape \(1, 2\): give one viewpoint or a list"):
        MEASURES[name](p, r, z, [[0, 1]])
