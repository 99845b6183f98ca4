import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.measures.family import MEASURES
from lcrjax.measures.family import family as family_kernel
from lcrjax.measures.family import labelled_family as labelled_kernel
from tests import reference

S, C = 12, 3  # every table here has this shape: the family compiles once for each dtype
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)
CLOSE = {"float32": 1e-6, "float64": 1e-12}
HATS = ("rho_hat", "beta_hat")

family = jax.jit(family_kernel)
labelled = jax.jit(labelled_kernel, static_argnames="n_classes")


@st.composite
def communities(draw):
    """Abundances of S elements in C classes, some of them zero, and a similarity matrix."""
    logs = draw(hnp.arrays(np.float64, (S, C), elements=st.floats(-4, 0)))
    counts = 10.0**logs
    absent = draw(hnp.arrays(bool, (S, C)))
    absent[range(C), range(C)] = False  # no class is empty
    counts[absent] = 0
    z = draw(hnp.arrays(np.float64, (S, S), elements=st.floats(0, 1)))
    np.fill_diagonal(z, 1)
    return counts / counts.sum(), z


def compare(found, wanted, close):
    """Compare numbers and logs of classes and dataset; hats near zero absolutely."""
    for level in (0, 1):
        for name in MEASURES:
            here, there = np.asarray(found[level][name]), wanted[level][name]
            entropy, classes = np.asarray(found[level + 2][name]), wanted[0][name]
            size, clear = 0, np.ones(there.shape, bool)
            if name in HATS:
                size = max(1, np.abs(classes).max())
                # Whether hats near zero are negative, and have a mean, is a matter of rounding.
                clear = (np.abs(classes) > 1e-2 * size) & (classes > 0)
                clear = clear if level == 0 else clear.all(axis=1)
            if name not in HATS or level == 0:
                np.testing.assert_allclose(here, there, rtol=close, atol=close * size, err_msg=name)
            np.testing.assert_allclose(
                here[clear], there[clear], rtol=close, atol=close * size, err_msg=name
            )
            np.testing.assert_allclose(
                entropy[clear],
                np.log(there[clear]),
                rtol=close,
                atol=200 * close if name in HATS else 2 * close,
                err_msg=name,
            )
    np.testing.assert_allclose(found[4], wanted[2], rtol=close)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(community=communities())
@settings(max_examples=4)
def test_equals_the_definitions_in_mpmath(dtype, community):
    abundance, z = community
    with jax.enable_x64(dtype == "float64"):
        p = abundance.astype(dtype)
        weighed = (z @ abundance).astype(dtype)
        q = np.asarray(Q, dtype)
        found = family(p, weighed, q)
        assert found.class_level["alpha"].dtype == dtype
        exact = reference.exact(p), reference.exact(weighed)
        wanted = reference.family(*exact, q.tolist(), reference.exact_power_mean)
        compare(found, wanted, CLOSE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keeps_its_digits_over_thirty_decades_of_abundances(dtype, rng):
    abundance = 10.0 ** rng.uniform(-30, 0, (S, C))
    abundance[rng.random((S, C)) < 0.2] = 0
    abundance[0] = 1
    for z in (np.eye(S), np.where(np.eye(S) > 0, 1, 1e-9)):
        with jax.enable_x64(dtype == "float64"):
            p = (abundance / abundance.sum()).astype(dtype)
            weighed = (z @ p.astype(float)).astype(dtype)
            q = np.asarray(Q, dtype)
            exact = reference.exact(p), reference.exact(weighed)
            wanted = reference.family(*exact, q.tolist(), reference.exact_power_mean)
            compare(family(p, weighed, q), wanted, CLOSE[dtype])


@given(community=communities())
@settings(max_examples=40)
def test_equals_the_definitions_in_numpy(community):
    abundance, z = community
    p, q = abundance.astype("f4"), np.asarray(Q, "f4")
    weighed = (z @ abundance).astype("f4")
    wanted = reference.family(p.astype(float), weighed.astype(float), q.astype(float))
    compare(family(p, weighed, q), wanted, 1e-6)


LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 0, 0, 1, 0, 0])


@given(z=hnp.arrays(np.float64, (S, S), elements=st.floats(0.05, 1)), order=st.permutations(LABELS))
@settings(max_examples=15)
def test_labelled_family_equals_that_of_one_hot_abundances(z, order):
    labels = np.array(order, "i4")
    np.fill_diagonal(z, 1)
    abundance = np.eye(C)[labels] / S
    weighed = z @ abundance
    own = weighed[range(S), labels].astype("f4")
    q = np.asarray(Q, "f4")
    found = labelled(labels, own, weighed.sum(1).astype("f4"), n_classes=C, q=q)
    wanted = reference.family(abundance, weighed, q.astype(float))
    compare(found, wanted, 2e-6)
    general = family(abundance.astype("f4"), weighed.astype("f4"), q)
    for one, other in zip(jax.tree.leaves(found[:2]), jax.tree.leaves(general[:2]), strict=True):
        np.testing.assert_allclose(one, other, rtol=3e-6, atol=3e-6)


def test_a_class_without_elements_is_nan_and_does_not_count(rng):
    labels = np.where(LABELS == 1, 2, LABELS).astype("i4")
    z = np.exp(-rng.random((S, S)))
    abundance = np.eye(C)[labels] / S
    weighed = z @ abundance
    own = weighed[range(S), labels].astype("f4")
    q = np.asarray(Q, "f4")
    found = labelled(labels, own, weighed.sum(1).astype("f4"), n_classes=C, q=q)
    kept = [0, 2]
    wanted = reference.family(abundance[:, kept], weighed[:, kept], q.astype(float))
    present = [
        {name: np.asarray(level[name])[..., kept] for name in MEASURES}
        for level in (found.class_level, found.class_entropy)
    ]
    compare((present[0], found[1], present[1], found[3], found[4]), wanted, 2e-6)
    for name in MEASURES:
        assert np.isnan(np.asarray(found.class_level[name])[:, 1]).all(), name


def test_one_class_returns_rho_for_the_hats(rng):
    p = rng.random((S, 1))
    p /= p.sum()
    weighed = np.exp(-rng.random((S, S))) @ p
    ones = np.zeros(S, "i4")
    with jax.enable_x64(True):
        q = np.asarray(Q)
        found = family(p, weighed, q)
        compare(found, reference.family(p, weighed, q), 1e-12)
        for name in HATS:
            np.testing.assert_allclose(found.class_level[name], 1, rtol=1e-14)
        equal = np.full((S, 1), 1 / S)
        z = np.exp(-rng.random((S, S)))
        own = (z @ equal)[:, 0]
        both = labelled(ones, own, own, n_classes=1, q=q)
        compare(both, reference.family(equal, z @ equal, q), 1e-12)


def test_hats_of_classes_that_share_nothing():
    p = np.zeros((S, C))
    p[range(S), LABELS] = 1 / S
    q = np.asarray(Q, "f4")
    found = family(p.astype("f4"), p.astype("f4"), q)
    for level in found[:2]:
        np.testing.assert_array_equal(level["rho"], 1)
        np.testing.assert_array_equal(level["rho_hat"], 0)
        np.testing.assert_allclose(level["beta_hat"], 1, rtol=1e-6)


def test_negative_hats_have_a_mean_at_orders_zero_and_infinity_alone(rng):
    # Where all have everything, rho of a rare class exceeds C.
    p = np.full((S, C), 0.3)
    p[:, 0] = 1e-3
    p /= p.sum()
    q = np.asarray(Q, "f4")
    found = family(p.astype("f4"), p.astype("f4"), q)
    wanted = reference.family(p, p, Q)
    assert wanted[0]["beta_hat"][0, 0] < -0.1
    for level in (0, 1):
        np.testing.assert_allclose(found[level]["beta_hat"], wanted[level]["beta_hat"], rtol=1e-5)
    expected_nan = [False, True, True, True, True, True, False]
    np.testing.assert_array_equal(np.isnan(found[1]["beta_hat"]), expected_nan)


def test_all_orders_share_one_compilation(rng):
    p = rng.random((S, C)).astype("f4")
    p /= p.sum()
    family(p, p, jnp.asarray(Q, jnp.float32))
    compiled = family._cache_size()
    for q in (np.linspace(0, 5, len(Q)), np.full(len(Q), np.inf), 1 + 1e-7 * np.arange(len(Q))):
        family(p, p, jnp.asarray(q, jnp.float32))
    assert family._cache_size() == compiled


@pytest.fixture(scope="module")
def slopes():
    """Derivatives of random sums of every measure, by abundance, ordinariness and q."""

    def mixed(p, weighed, q, mix):
        found = family_kernel(p, weighed, q)
        for name in HATS:  # whose mean is undefined where some are negative
            del found.dataset_level[name]
        return jax.tree.reduce(
            jnp.add, jax.tree.map(lambda x, w: jnp.sum(x * w), tuple(found[:2]), mix)
        )

    return jax.jit(jax.value_and_grad(mixed, argnums=(0, 1, 2)))


def mixture(rng, dtype):
    classes = {name: rng.random((len(Q), C)).astype(dtype) for name in MEASURES}
    defined = [name for name in MEASURES if name not in HATS]
    dataset = {name: rng.random(len(Q)).astype(dtype) for name in defined}
    return classes, dataset


def community(rng, dtype):
    p = rng.random((S, C)) + 0.1
    p[rng.random((S, C)) < 0.3] = 0
    p[0] = 0.5
    p /= p.sum()
    return p.astype(dtype), (np.exp(-rng.random((S, S))) @ p).astype(dtype)


def test_derivatives_equal_finite_differences(slopes, rng, x64):
    (p, weighed), mix = community(rng, float), mixture(rng, float)
    q = np.array([0, 0.5, 1, 1 + 1e-7, 2, 30, 5])
    _, found = slopes(p, weighed, q, mix)
    h = 1e-5
    for i in range(3):
        direction = rng.normal(size=found[i].shape)
        direction[np.asarray((p, weighed, q)[i]) == 0] = 0

        def moved(step, i=i, direction=direction):
            given = [p, weighed, q]
            given[i] = given[i] + step * h * direction
            return slopes(*given, mix)[0]

        slope = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h)
        np.testing.assert_allclose(np.sum(found[i] * direction), slope, rtol=1e-7)


def test_derivative_by_q_at_one_is_the_true_one(slopes, rng, x64):
    (p, weighed), mix = community(rng, float), mixture(rng, float)
    at, near = np.full(len(Q), 1.0), np.full(len(Q), 1.001)
    below, above = slopes(p, weighed, 2 - near, mix)[1][2], slopes(p, weighed, near, mix)[1][2]
    found = slopes(p, weighed, at, mix)[1][2]
    assert np.abs(found).min() > 1e-3
    np.testing.assert_allclose(found, (below + above) / 2, rtol=1e-4)


def test_derivatives_are_finite_at_every_order_and_zero_abundances(slopes, rng):
    (p, weighed), mix = community(rng, "f4"), mixture(rng, "f4")
    _, found = slopes(p, weighed, np.asarray(Q, "f4"), mix)
    assert all(np.isfinite(x).all() for x in found)
    # Elements that nobody has, unlike all others.
    p[5], weighed[5] = 0, 0
    _, found = slopes(p, weighed, np.asarray(Q, "f4"), mix)
    assert all(np.isfinite(x).all() for x in found)


def test_float32_stays_float32_under_x64(x64, rng):
    p, weighed = community(rng, "f4")
    found = jax.eval_shape(family_kernel, p, weighed, np.asarray(Q, "f4"))
    assert {x.dtype for x in jax.tree.leaves(found)} == {np.dtype("f4")}


def test_measures_have_their_order():
    assert MEASURES == reference.MEASURES
    assert lcrjax.measures.family.MEASURES is MEASURES
