import tracemalloc

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.measures.family import (
    MEASURES,
    family,
    family_of,
    labelled_family,
    members_of_labels,
)
from tests import reference

S, C = 12, 3  # every table here has this shape: the family compiles once for each dtype
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)
NINE = (0.0, 1e-12, 0.3, 1.0, 1 + 1e-12, 1 + 1e-7, 2.0, 1e4, np.inf)
HATS = ("rho_hat", "beta_hat")
PLAIN = [name for name in MEASURES if name not in HATS]
#: By path and dtype: viewpoints and relative error.
CLOSE = {("at hand", "float64"): (NINE, 1e-12), ("traced", "float64"): (NINE, 1e-12),
         ("traced", "float32"): (Q, 3e-6)}  # fmt: skip
KINDS = pytest.mark.parametrize(("path", "dtype"), CLOSE)

jitted = jax.jit(family)
labelled = jax.jit(labelled_family, static_argnames="n_classes")
FAMILIES = {"at hand": family, "traced": jitted}
PATHS = pytest.mark.parametrize("path", FAMILIES)


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
    for level in ("class", "dataset"):
        numbers, entropies = (getattr(found, f"{level}_{kind}") for kind in ("level", "entropy"))
        for name in MEASURES:
            here, log = np.asarray(numbers[name]), np.asarray(entropies[name])
            classes, there = wanted[0][name], wanted[level == "dataset"][name]
            size, clear = 0, np.ones(there.shape, bool)
            if name in HATS:
                size = max(1, np.abs(classes).max())
                # Whether hats near zero are negative, and have a mean, is a matter of rounding.
                clear = (np.abs(classes) > 1e-2 * size) & (classes > 0)
                clear = clear if level == "class" else clear.all(axis=1)
            if name not in HATS or level == "class":
                np.testing.assert_allclose(here, there, rtol=close, atol=close * size, err_msg=name)
            np.testing.assert_allclose(
                here[clear], there[clear], rtol=close, atol=close * size, err_msg=name
            )
            atol = 200 * close if name in HATS else 2 * close
            np.testing.assert_allclose(log[clear], np.log(there[clear]), close, atol, err_msg=name)
    np.testing.assert_allclose(found.class_balance, wanted[2], rtol=close)


def check(abundance, z, path, dtype):
    """Compare with mpmath, on the numbers as the dtype holds them."""
    q, close = CLOSE[path, dtype]
    with jax.enable_x64(dtype == "float64"):
        p, q = abundance.astype(dtype), np.asarray(q, dtype)
        weighed = (z @ p.astype(float)).astype(dtype)
        found = FAMILIES[path](p, weighed, q)
        assert found.class_level["alpha"].dtype == dtype
        exact = reference.exact(p), reference.exact(weighed)
        compare(found, reference.family(*exact, q.tolist(), reference.exact_power_mean), close)


@KINDS
@given(community=communities())
@settings(max_examples=3)
def test_equals_the_definitions_in_mpmath(path, dtype, community):
    check(*community, path, dtype)


@KINDS
@pytest.mark.parametrize("z", [np.eye(S), np.where(np.eye(S) > 0, 1, 1e-9)], ids=["I", "far"])
def test_keeps_its_digits_over_decades_of_abundances(path, dtype, z, rng):
    """Thirty of them, or six."""
    abundance = 10.0 ** rng.uniform(-30 if dtype == "float64" else -6, 0, (S, C))
    abundance[rng.random((S, C)) < 0.2] = 0
    abundance[0] = 1
    check(abundance / abundance.sum(), z, path, dtype)


@KINDS
@given(community=communities())
@settings(max_examples=25)
def test_equals_the_definitions_in_numpy(path, dtype, community):
    abundance, z = community
    with jax.enable_x64(dtype == "float64"):
        p, q = abundance.astype(dtype), np.asarray(Q, dtype)
        weighed = (z @ abundance).astype(dtype)
        wanted = reference.family(p.astype(float), weighed.astype(float), q.astype(float))
        compare(FAMILIES[path](p, weighed, q), wanted, max(CLOSE[path, dtype][1], 1e-11))


LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 0, 0, 1, 0, 0])


@PATHS
@given(z=hnp.arrays(np.float64, (S, S), elements=st.floats(0.05, 1)), order=st.permutations(LABELS))
@settings(max_examples=10)
def test_labelled_family_equals_that_of_one_hot_abundances(path, z, order):
    labels = np.array(order, "i4")
    np.fill_diagonal(z, 1)
    abundance = np.eye(C)[labels] / S
    weighed = z @ abundance
    given = (labels, weighed[range(S), labels], weighed.sum(1), C)
    with jax.enable_x64(True):
        found = (labelled if path == "traced" else labelled_family)(*given, q=np.asarray(Q))
        compare(found, reference.family(abundance, weighed, Q), 1e-11)
        general = FAMILIES[path](abundance, weighed, np.asarray(Q))
    for name in MEASURES:
        for one, other in ((found.class_level, general.class_level),
                           (found.class_entropy, general.class_entropy)):  # fmt: skip
            np.testing.assert_allclose(one[name], other[name], rtol=1e-12, atol=1e-12)


def test_many_labelled_datasets_at_once_equal_each_alone(rng):
    """On the host and by vmap; classes that one of them lacks do not count there."""
    labels, q = rng.integers(0, 6, (5, 20)).astype("i4"), np.asarray(Q)
    labels[0], labels[1] = 3, labels[1] % 2
    own = rng.uniform(0.1, 0.9, labels.shape)
    everyone = own + rng.random(labels.shape)
    given = (labels, own, everyone)
    members = members_of_labels(*given)
    found = family_of(members, q)
    count = members.datasets.lengths
    assert count.tolist() == [len(set(row)) for row in labels]
    with jax.enable_x64(True):
        mapped = jax.jit(jax.vmap(lambda *given: labelled_family(*given, 6, q)))
        each = jax.tree.map(np.asarray, mapped(*given))
    for i, end in enumerate(np.cumsum(count)):
        alone = family_of(members_of_labels(*(x[i : i + 1] for x in given)), q)
        here = np.s_[:, :, end - count[i] : end]
        np.testing.assert_array_equal(found.class_numbers[here], alone.class_numbers)
        np.testing.assert_array_equal(found.class_entropies[here], alone.class_entropies)
        for many, one in zip(found, alone, strict=True):
            if many.shape[-1] == len(labels):
                np.testing.assert_array_equal(many[..., i], one[..., 0])
        present = np.unique(labels[i])
        traced = each.class_numbers[i]
        np.testing.assert_allclose(traced[..., present], alone.class_numbers, 1e-12, 1e-12)
        assert np.isnan(np.delete(traced, present, axis=-1)).all()
        plain = slice(len(PLAIN))  # of hats around zero the sign is a matter of rounding
        dataset = alone.dataset_numbers[plain, :, 0]
        np.testing.assert_allclose(each.dataset_numbers[i, plain], dataset, rtol=1e-12)
        np.testing.assert_allclose(each.class_balance[i], alone.class_balance[:, 0], rtol=1e-12)


@PATHS
def test_one_class_returns_rho_for_the_hats(path, rng):
    p = rng.random((S, 1))
    p /= p.sum()
    weighed = np.exp(-rng.random((S, S))) @ p
    with jax.enable_x64(True):
        q = np.asarray(Q)
        found = FAMILIES[path](p, weighed, q)
        compare(found, reference.family(p, weighed, q), 1e-12)
        for name in HATS:
            np.testing.assert_allclose(found.class_level[name], 1, rtol=1e-14)


@PATHS
def test_hats_of_classes_that_share_nothing(path):
    p = np.zeros((S, C))
    p[range(S), LABELS] = 1 / S
    q = np.asarray(Q, "f4")
    found = FAMILIES[path](p.astype("f4"), p.astype("f4"), q)
    for level in (found.class_level, found.dataset_level):
        np.testing.assert_array_equal(level["rho"], 1)
        np.testing.assert_array_equal(level["rho_hat"], 0)
        np.testing.assert_allclose(level["beta_hat"], 1, rtol=1e-6)


@PATHS
def test_negative_hats_have_a_mean_at_orders_zero_and_infinity_alone(path):
    # Where all have everything, rho of a rare class exceeds C.
    p = np.full((S, C), 0.3)
    p[:, 0] = 1e-3
    p /= p.sum()
    q = np.asarray(Q, "f4")
    found = FAMILIES[path](p.astype("f4"), p.astype("f4"), q)
    wanted = reference.family(p, p, Q)
    assert wanted[0]["beta_hat"][0, 0] < -0.1
    for level, there in ((found.class_level, wanted[0]), (found.dataset_level, wanted[1])):
        np.testing.assert_allclose(level["beta_hat"], there["beta_hat"], rtol=1e-5)
    for mean in (found.dataset_level["beta_hat"], found.dataset_entropy["beta_hat"]):
        assert np.isnan(mean[1:-1]).all()
    assert np.isfinite(found.dataset_level["beta_hat"][np.array([0, -1])]).all()
    assert np.isnan(found.class_entropy["beta_hat"][:, 0]).all()


def test_no_entropy_is_a_negative_zero():
    found = family(np.full((3, 1), 1 / 3), np.full((3, 1), 1 / 3), np.asarray(Q))
    for table in found:
        assert not np.signbit(np.where(table == 0, table, 1)).any()


def test_all_orders_share_one_compilation(rng):
    p = rng.random((S, C)).astype("f4")
    p /= p.sum()
    jitted(p, p, jnp.asarray(Q, jnp.float32))
    compiled = jitted._cache_size()
    for q in (np.linspace(0, 5, len(Q)), np.full(len(Q), np.inf), 1 + 1e-7 * np.arange(len(Q))):
        jitted(p, p, jnp.asarray(q, jnp.float32))
    assert jitted._cache_size() == compiled


@pytest.fixture(scope="module")
def slopes():
    """Derivatives of random sums of every measure, by abundance, ordinariness and q."""

    def mixed(p, weighed, q, mix):
        found = family(p, weighed, q)
        dataset = found.dataset_numbers[: len(PLAIN)]  # means of hats may be undefined
        return jnp.sum(found.class_numbers * mix[0]) + jnp.sum(dataset * mix[1])

    return jax.jit(jax.value_and_grad(mixed, argnums=(0, 1, 2)))


def mixture(rng, dtype):
    shapes = (len(MEASURES), len(Q), C), (len(PLAIN), len(Q))
    return tuple(rng.random(shape).astype(dtype) for shape in shapes)


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_by_counts_of_zero_are_those_from_above(dtype):
    """Of a community in which each class lacks elements that are like others it has."""
    counts = np.array([[3, 0, 1], [0, 2, 0], [1, 1, 0], [0, 4, 2.0]])
    z = np.exp(-np.abs(np.subtract.outer(*[np.array([0, 0.3, 1.1, 1.6])] * 2))).astype(dtype)
    q = np.array([0, 0.5, 1, 2, np.inf])

    def measured(counts):
        found = lcrjax.diversity(counts, jnp.asarray(z), q=q)
        return found.class_level, found.dataset_level

    with jax.enable_x64(dtype == "float64"):
        slopes = jax.jit(jax.jacrev(measured))(counts.astype(dtype))
    with mpmath.workdps(60):
        h, exact_z = mpmath.mpf(10) ** -25, reference.exact(z)

        def exactly(counts):
            p = counts / counts.sum()
            return reference.family(p, exact_z @ p, q, reference.exact_power_mean, object)[:2]

        for i, j in np.argwhere(counts == 0):
            moved = reference.exact(counts)
            moved[i, j] = h
            here, there = exactly(reference.exact(counts)), exactly(moved)
            for found, before, after in zip(slopes, here, there, strict=True):
                for name in ("alpha", "beta", "rho", "gamma"):
                    wanted = (after[name] - before[name]) / h
                    wanted = np.where(np.abs(wanted) < 1e20, wanted, np.nan).astype(float)
                    slope, jumps = np.asarray(found[name][..., i, j]), np.isnan(wanted)
                    assert np.isfinite(slope).all()
                    assert not jumps[:-1].any()  # at infinity a new extreme may be one
                    close = {"float32": 2e-5, "float64": 1e-10}[dtype]
                    np.testing.assert_allclose(slope[~jumps], wanted[~jumps], close, close)


def test_float32_stays_float32_under_x64(x64, rng):
    p, weighed = community(rng, "f4")
    found = jax.eval_shape(family, p, weighed, np.asarray(Q, "f4"))
    assert {x.dtype for x in jax.tree.leaves(found)} == {np.dtype("f4")}


def test_measures_have_their_order():
    assert tuple(MEASURES) == reference.MEASURES


def test_memory_of_many_elements():
    """Only their numbers in order are kept; some thousands at a time are computed with."""
    n = 400_000
    own = np.full(n, 0.5)
    given = (np.arange(n, dtype="i4") % 3, own, own + 0.1)
    tracemalloc.start()
    labelled_family(*given, 3, np.array([0.0, 1.0, 2.0]))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most <= 40 * n
