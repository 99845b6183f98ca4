import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.measures.family import MEASURES
from tests import reference

S, C = 12, 3  # as in test_family
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)
SPARE = S - 1  # an element that nobody has


@st.composite
def communities(draw):
    """Counts whose last element nobody has, and a symmetric similarity matrix."""
    counts = draw(hnp.arrays(np.int64, (S, C), elements=st.integers(0, 50))).astype(float)
    counts[range(C), range(C)] += 1
    counts[SPARE] = 0
    half = draw(hnp.arrays(np.float64, (S, S), elements=st.floats(0, 1, width=32)))
    z = np.triu(half, 1)
    return counts, z + z.T + np.eye(S)


def measured(counts, z, q=Q):
    return lcrjax.diversity(counts, z, q=q)


def same(one, other, close=2e-6, order=slice(None)):
    for name in MEASURES:
        here, there = np.asarray(one.class_level[name])[:, order], other.class_level[name]
        np.testing.assert_allclose(here, there, rtol=close, atol=close, err_msg=name)
        here, there = one.dataset_level[name], other.dataset_level[name]
        if not name.endswith("hat"):  # of hats around zero the sign is a matter of rounding
            np.testing.assert_allclose(here, there, rtol=close, err_msg=name)
    np.testing.assert_allclose(one.class_balance, other.class_balance, rtol=close)


@given(community=communities())
@settings(max_examples=25)
def test_equals_the_definitions(community):
    counts, z = community
    found = measured(counts, z)
    p = counts / counts.sum()
    wanted = reference.family(p, z @ p, np.float64(np.float32(Q)))
    for name in MEASURES:
        if not name.endswith("hat"):
            np.testing.assert_allclose(found.class_level[name], wanted[0][name], rtol=1e-6)
            np.testing.assert_allclose(found.dataset_level[name], wanted[1][name], rtol=1e-6)


def test_equals_the_definitions_in_float64(x64, rng):
    counts, z = rng.integers(1, 50, (S, C)).astype(float), np.exp(-3 * rng.random((S, S)))
    np.fill_diagonal(z, 1)
    found = measured(counts, z)
    p = counts / counts.sum()
    wanted = reference.family(p, z @ p, Q)
    for name in MEASURES:
        if not name.endswith("hat"):
            np.testing.assert_allclose(found.class_level[name], wanted[0][name], rtol=1e-12)
            np.testing.assert_allclose(found.dataset_level[name], wanted[1][name], rtol=1e-12)
            np.testing.assert_allclose(
                found.class_entropy[name], np.log(wanted[0][name]), rtol=1e-11, atol=1e-12
            )


@given(community=communities(), elements=st.permutations(range(S)), data=st.data())
@settings(max_examples=20)
def test_order_of_elements_and_classes_is_of_no_matter(community, elements, data):
    counts, z = community
    classes = data.draw(st.permutations(range(C)))
    found = measured(counts, z)
    same(found, measured(counts[elements], z[np.ix_(elements, elements)]))
    same(found, measured(counts[:, classes], z), order=classes)


@given(community=communities(), element=st.integers(0, SPARE - 1), share=st.floats(0.01, 0.99))
@settings(max_examples=20)
def test_splitting_an_element_into_identical_copies_changes_nothing(community, element, share):
    counts, z = community
    split = counts.copy()
    split[SPARE] = share * counts[element]
    split[element] -= split[SPARE]
    z[SPARE], z[:, SPARE] = z[element], z[:, element]
    z[SPARE, SPARE] = z[SPARE, element] = z[element, SPARE] = 1
    same(measured(counts, z), measured(split, z), 4e-6)


@given(community=communities())
@settings(max_examples=20)
def test_scaling_all_counts_changes_nothing(community):
    counts, z = community
    same(measured(counts, z), measured(1000 * counts, z))


@given(community=communities())
@settings(max_examples=20)
def test_bounds_and_order(community):
    counts, z = community
    found = measured(counts, z)
    for name in ("normalized_alpha", "gamma"):
        level = np.asarray(found.class_level[name])
        present = np.count_nonzero(counts.sum(axis=1))
        if name == "normalized_alpha":
            assert np.all(level >= 1 - 1e-6)
            assert np.all(level <= np.count_nonzero(counts, axis=0) * (1 + 1e-6))
        dataset = np.asarray(found.dataset_level[name])
        assert np.all(dataset <= present * (1 + 1e-6))
        assert np.all(dataset >= 1 - 1e-6)
    for name in ("alpha", "rho", "gamma", "normalized_alpha", "normalized_rho"):
        for level in (found.class_level[name], found.dataset_level[name]):
            level = np.asarray(level)
            assert np.all(level[1:] <= level[:-1] * (1 + 1e-6)), name
    balance = np.asarray(found.class_balance)
    assert np.all((balance >= 1 - 1e-6) & (balance <= C * (1 + 1e-6)))
    assert np.all(balance[1:] <= balance[:-1] * (1 + 1e-6))


@given(community=communities())
@settings(max_examples=20)
def test_alpha_at_order_one_is_class_balance_times_gamma_times_rho(community):
    found = measured(*community)
    at_one = found.q == 1
    product = found.class_balance * found.dataset_level["gamma"]
    product *= found.dataset_level["normalized_rho"]
    np.testing.assert_allclose(found.dataset_level["alpha"][at_one], product[at_one], rtol=2e-6)


@given(community=communities())
@settings(max_examples=20)
def test_minima_at_infinite_order_are_the_dataset_level(community):
    found = measured(*community)
    for name in ("alpha", "normalized_rho", "gamma"):
        least = np.min(found.class_level[name][-1])
        np.testing.assert_array_equal(found.dataset_level[name][-1], least)


@given(counts=hnp.arrays(np.int64, (S, C), elements=st.integers(0, 50)))
@settings(max_examples=20)
def test_identity_gives_hill_numbers(counts):
    assume(counts.any(axis=0).all())
    found = lcrjax.diversity(counts, q=Q)
    pooled, w = counts.sum(axis=1) / counts.sum(), counts.sum(axis=0) / counts.sum()

    def hill(p, q):
        return reference.plain_power_mean(1 - q, p, 1 / np.where(p > 0, p, 1))

    for i, q in enumerate(np.float64(np.float32(Q))):
        for j in range(C):
            share = counts[:, j] / counts[:, j].sum()
            alpha = found.class_level["normalized_alpha"][i, j]
            np.testing.assert_allclose(alpha, hill(share, q), rtol=1e-6)
            np.testing.assert_allclose(lcrjax.hill_number(counts[:, j], q), alpha, rtol=2e-6)
        np.testing.assert_allclose(found.dataset_level["gamma"][i], hill(pooled, q), rtol=2e-6)
        np.testing.assert_allclose(found.class_balance[i], hill(w, q), rtol=1e-6)
    same(found, lcrjax.diversity(counts, np.eye(S), q=Q))
    same(found, lcrjax.diversity(counts, lcrjax.Identity(), q=Q))


def test_same_class_gives_class_balance(rng):
    labels = np.array(list("aabccccbaacc"))
    counts = (labels[:, None] == np.array(list("abc"))).astype(float)
    found = lcrjax.diversity(counts, lcrjax.SameClass(), q=Q, elements=labels)
    np.testing.assert_allclose(found.dataset_level["gamma"], found.class_balance, rtol=1e-6)
    np.testing.assert_allclose(found.class_level["normalized_alpha"], 1, rtol=1e-6)
    w = counts.mean(axis=0)
    wanted = [reference.plain_power_mean(1 - q, w, 1 / w) for q in np.float64(np.float32(Q))]
    np.testing.assert_allclose(found.class_balance, wanted, rtol=1e-6)


@given(community=communities())
@settings(max_examples=10)
def test_where_all_are_alike_there_is_one_element(community):
    counts, _ = community
    found = measured(counts, np.ones((S, S)))
    for name in ("normalized_alpha", "gamma", "normalized_rho", "normalized_beta"):
        np.testing.assert_allclose(found.class_level[name], 1, rtol=1e-6)
        np.testing.assert_allclose(found.dataset_level[name], 1, rtol=1e-6)


@given(shares=hnp.arrays(np.float64, S // C, elements=st.floats(0.01, 1)), data=st.data())
@settings(max_examples=15)
def test_replication_principle(shares, data):
    """Classes of one composition that share nothing: pooled, C times as diverse as each."""
    half = data.draw(hnp.arrays(np.float64, (S // C, S // C), elements=st.floats(0, 1, width=32)))
    z = np.kron(np.eye(C), np.triu(half, 1) + np.triu(half, 1).T + np.eye(S // C))
    found = measured(np.kron(np.eye(C), shares[:, None]), z)
    own = found.class_level["normalized_alpha"]
    np.testing.assert_allclose(found.dataset_level["gamma"], C * own[:, 0], rtol=2e-6)
    np.testing.assert_allclose(found.dataset_level["normalized_rho"], 1 / C, rtol=2e-6)
    np.testing.assert_allclose(found.dataset_level["rho"], 1, rtol=2e-6)


def test_a_class_with_one_element(rng):
    counts = rng.integers(1, 9, (S, C)).astype(float)
    counts[:, 1] = 0
    counts[4, 1] = 1
    z = np.exp(-rng.random((S, S)))
    np.fill_diagonal(z, 1)
    found = measured(counts, z)
    w = 1 / counts.sum()
    np.testing.assert_allclose(found.class_level["normalized_alpha"][:, 1], 1, rtol=1e-6)
    np.testing.assert_allclose(found.class_level["alpha"][:, 1], 1 / w, rtol=1e-6)
    one = 1 / (z @ (counts.sum(axis=1) / counts.sum()))[4]
    np.testing.assert_allclose(found.class_level["gamma"][:, 1], one, rtol=1e-6)


def test_asymmetric_similarities_are_read_by_rows(rng):
    z = rng.random((S, S))
    np.fill_diagonal(z, 1)
    counts = rng.integers(1, 9, (S, C)).astype(float)
    p = counts / counts.sum()
    wanted = reference.family(p, z @ p, [0.0])[1]["gamma"]
    other = reference.family(p, z.T @ p, [0.0])[1]["gamma"]
    found = measured(counts, z).dataset_level["gamma"][Q.index(0.0)]
    np.testing.assert_allclose(found, wanted[0], rtol=1e-6)
    assert abs(found - other[0]) > 1e-4


def test_elements_and_a_similarity_equal_its_matrix(rng):
    vectors, counts = rng.normal(size=(S, 5)).astype("f4"), rng.integers(1, 9, (S, C))
    kernel = lcrjax.Gaussian(2.0)
    z = lcrjax.ordinariness(vectors, jnp.eye(S), kernel)
    same(lcrjax.diversity(counts, kernel, elements=vectors, q=Q), measured(counts, z))


def example():
    return np.arange(1, S * C + 1).reshape(S, C), np.exp(
        -np.abs(np.subtract.outer(range(S), range(S)))
    )


def test_arrays_dicts_and_frames_give_the_same():
    counts, z = example()
    found = measured(counts, z)
    names, elements = ["a", "b", "c"], [f"e{i}" for i in range(S)]
    frame = pd.DataFrame(counts, columns=names, index=elements)
    labelled = pd.DataFrame(z, index=elements, columns=elements)
    for given_counts, given_z in (
        (dict(zip(names, counts.T, strict=True)), z),
        (frame, z),
        (frame, labelled),
        (frame, lcrjax.Precomputed(labelled)),
        (counts, labelled),
        (jnp.asarray(counts), jnp.asarray(z)),
    ):
        same(found, measured(given_counts, given_z))
    assert measured(frame, z).class_names == ("a", "b", "c")


def test_diversity_is_a_pytree_and_works_under_jit():
    counts, z = example()
    found = measured(counts, z)
    again = jax.tree.map(lambda x: x, found)
    assert again.class_names == found.class_names
    assert set(again.class_level) == set(MEASURES)
    pick = jax.jit(lambda d: d.dataset_level["gamma"] * 2)
    np.testing.assert_allclose(pick(found), 2 * found.dataset_level["gamma"])
    traced = jax.jit(lambda n: lcrjax.diversity(n, jnp.asarray(z, jnp.float32), q=Q))(
        counts.astype("f4")
    )
    assert isinstance(traced, lcrjax.Diversity)
    same(found, traced)


def test_one_viewpoint_is_a_list_of_one():
    table = lcrjax.diversity(np.ones((S, C)), q=[1.0] * len(Q))
    assert table.q.shape == (len(Q),)
    with pytest.raises(ValueError, match=r"q has shape \(1, 2\)"):
        lcrjax.diversity(np.ones((S, C)), q=[[1, 2]])


@pytest.mark.parametrize("bad", [-1, np.nan, [0, -0.5], [], -np.inf])
def test_bad_viewpoints(bad):
    with pytest.raises(ValueError, match=r"viewpoints lie in \[0, inf\]|q has shape"):
        lcrjax.diversity(np.ones((S, C)), q=bad)


def spoilt(i, j, value):
    z = np.eye(S)
    z[i, j] = value
    return z


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.ones((S, S - 1)), r"has shape \(12, 11\): it must be square"),
        (np.ones(S), "must be square"),
        (np.eye(S - 1), r"shape \(11, 11\), but there are 12 rows of counts"),
        (spoilt(3, 4, -0.1), "similarity of elements 3 and 4 is -0.1"),
        (spoilt(5, 6, np.nan), "similarity of elements 5 and 6 is nan"),
        (spoilt(5, 6, np.inf), "similarity of elements 5 and 6 is inf"),
        (spoilt(7, 7, 0.9), "similarity of element 7 to itself is 0.9"),
        (np.full((S, S), "a"), "dtype"),
        (lcrjax.RMSD(), "RMSD compares elements"),
        (lcrjax.SameClass(), "SameClass compares elements"),
    ],
)
def test_bad_similarities_are_named(z, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.diversity(np.ones((S, C)), z)


def test_names_that_differ_are_named():
    counts, z = example()
    names = [f"e{i}" for i in range(S)]
    frame = pd.DataFrame(counts, index=names)
    swapped = [*names[:4], names[5], names[4], *names[6:]]
    with pytest.raises(ValueError, match=r"row 4 of the similarity is 'e5'.*'e4'"):
        lcrjax.diversity(frame, pd.DataFrame(z, index=swapped, columns=swapped))
    with pytest.raises(ValueError, match="columns of the similarity"):
        lcrjax.diversity(frame, pd.DataFrame(z, index=names, columns=swapped))


def test_elements_must_fit_the_counts(rng):
    with pytest.raises(ValueError, match="11 elements but 12 rows"):
        lcrjax.diversity(np.ones((S, C)), lcrjax.Gaussian(), elements=rng.normal(size=(S - 1, 2)))


def test_viewpoints_are_checked_before_long_work():
    def never(x, y):
        raise AssertionError("called")

    with pytest.raises(ValueError, match="q holds -1"):
        lcrjax.diversity(np.ones(3), lcrjax.PythonFunction(never), elements=range(3), q=-1)
    with pytest.raises(ValueError, match="q holds -1"):
        lcrjax.measure("abc", [0, 0, 1], similarity=lcrjax.PythonFunction(never), q=-1)


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_bad_results_of_jitted_functions(bad):
    kernel = lcrjax.Pointwise(lambda x, y: jnp.where(jnp.sum(x - y) == 0, 1.0, bad))
    with pytest.raises(ValueError, match="similarities of element 0 to class '0' add up to"):
        lcrjax.diversity(np.ones(3), kernel, elements=np.arange(6.0).reshape(3, 2))


def test_the_usual_viewpoints():
    assert lcrjax.diversity([1, 1]).q.tolist() == [0, 1, 2, np.inf]
    found = lcrjax.measure(np.eye(2), [0, 1], similarity=lcrjax.Linear())
    assert found.q.tolist() == [0, 1, np.inf]
