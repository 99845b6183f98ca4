import itertools

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import lcrjax
from lcrjax.selection import maximum_diversity
from lcrjax.selection.simplex_programme import best_of_subsets, least_on_simplex
from tests import reference

Q = (0, 0.5, 1, 2, 7, np.inf)


def diversity(z, p, q):
    """The definition, in NumPy float64."""
    return float(reference.plain_power_mean(1 - q, p, 1 / (z @ p)))


def kernel(x, scale=1.0):
    return np.exp(-scale * np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1)))


def test_elements_with_nothing_in_common_are_even():
    best = maximum_diversity(np.eye(5))
    np.testing.assert_allclose(best.distribution, np.full(5, 0.2), rtol=1e-12)
    np.testing.assert_allclose((best.value, best.magnitude), 5, rtol=1e-12)


def test_two_elements_are_even_whatever_they_share():
    best = maximum_diversity(np.array([[1, 0.3], [0.3, 1]]))
    np.testing.assert_allclose(best.distribution, [0.5, 0.5], rtol=1e-12)
    np.testing.assert_allclose(best.value, 2 / 1.3, rtol=1e-12)


def test_duplicates_share_what_one_of_them_has():
    one = np.array([[1, 0.2], [0.2, 1]])
    best = maximum_diversity(one[np.ix_([0, 0, 0, 1], [0, 0, 0, 1])])
    np.testing.assert_allclose(best.distribution, [1 / 6, 1 / 6, 1 / 6, 1 / 2], rtol=1e-9)
    np.testing.assert_allclose((best.value, best.magnitude), 2 / 1.2, rtol=1e-9)
    assert maximum_diversity(np.ones((3, 3))).value == pytest.approx(1, rel=1e-12)


def test_points_on_a_line():
    """Leinster (2013), proposition 2.4.3: a weighting of exp(-d) on a line, by half-gaps."""
    x = np.array([0, 1, 3, 3.5])
    half = np.tanh(np.diff(x) / 2)
    w = (np.append(half, 1) + np.insert(half, 0, 1)) / 2
    best = maximum_diversity(x[:, None], lcrjax.Laplacian(1.0))
    np.testing.assert_allclose(best.value, 1 + half.sum(), rtol=1e-12)
    np.testing.assert_allclose(best.magnitude, 1 + half.sum(), rtol=1e-12)
    np.testing.assert_allclose(best.distribution, w / w.sum(), rtol=1e-9)


def test_an_element_between_others_takes_no_part():
    """A star: its centre is like all tips; magnitude gives it a negative weight."""
    z = np.full((5, 5), 0.5)
    z[0], z[:, 0] = 0.75, 0.75
    np.fill_diagonal(z, 1)
    best = maximum_diversity(z)
    assert best.support.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(best.value, 4 / 2.5, rtol=1e-12)
    weights = np.linalg.solve(z, np.ones(5))
    assert weights[0] < 0
    np.testing.assert_allclose(best.magnitude, weights.sum(), rtol=1e-9)


def graph(n, edges):
    z = np.eye(n)
    for i, j in edges:
        z[i, j] = z[j, i] = 1
    return z


PETERSEN = [(i, (i + 1) % 5) for i in range(5)] + [(i, i + 5) for i in range(5)]
PETERSEN += [(5 + i, 5 + (i + 2) % 5) for i in range(5)]
GRAPHS = {
    "path": (graph(4, [(0, 1), (1, 2), (2, 3)]), 2),
    "cycle": (graph(5, [(i, (i + 1) % 5) for i in range(5)]), 2),
    "Petersen": (graph(10, PETERSEN), 4),
    "bipartite": (graph(7, itertools.product(range(3), range(3, 7))), 4),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_of_a_graph_the_value_is_its_independence_number(name):
    """Leinster & Meckes (2016), section 8."""
    z, number = GRAPHS[name]
    best = maximum_diversity(z)
    np.testing.assert_allclose(best.value, number, rtol=1e-12)
    assert best.residual < 1e-12
    inside = z[np.ix_(best.support, best.support)]
    assert np.all(inside @ best.distribution[best.support] >= 1 / number - 1e-12)


def test_magnitude_is_undefined_where_no_weights_solve():
    best = maximum_diversity(np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1]]) + 0.0)
    np.testing.assert_allclose(best.magnitude, 1, rtol=1e-9)  # weights 0, 0, 1
    # Rows two and three are the same up to 1/2: of a vector in a plane one is no product.
    x = np.array([[1, 0], [0, 1], [1, 1]]) / np.sqrt([[1], [1], [2]])
    best = maximum_diversity(x @ x.T)
    assert np.isnan(best.magnitude)
    np.testing.assert_allclose(best.distribution, [0.5, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(best.value, 2, rtol=1e-12)


@settings(max_examples=25)
@given(st.integers(2, 10), st.integers(1, 4), st.sampled_from([0.3, 1, 5]), st.integers(0, 2**20))
def test_laws(n, d, scale, seed):
    rng = np.random.default_rng(seed)
    z = kernel(rng.normal(size=(n, d)), scale)
    best = maximum_diversity(z)
    assert best.residual <= 1e-9
    assert best.distribution.min() >= 0
    np.testing.assert_allclose(best.distribution.sum(), 1, rtol=1e-12)
    for q in Q:
        np.testing.assert_allclose(diversity(z, best.distribution, q), best.value, rtol=1e-8)
        for p in rng.dirichlet(np.full(n, 0.7), 5):
            assert diversity(z, p, q) <= best.value * (1 + 1e-9)
    np.testing.assert_allclose(best.value, best_of_subsets(z).value, rtol=1e-9)
    assert best.magnitude >= best.value * (1 - 1e-9)  # of positive definite Z


@pytest.mark.parametrize("d", [1, 5])
def test_agrees_with_a_general_solver(d, rng):
    z = kernel(rng.normal(size=(20, d)))
    found = minimize(
        lambda p: p @ z @ p,
        np.full(20, 1 / 20),
        jac=lambda p: 2 * z @ p,
        bounds=[(0, None)] * 20,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-15},
    )
    best = maximum_diversity(z)
    np.testing.assert_allclose(best.value, 1 / found.fun, rtol=1e-9)
    np.testing.assert_allclose(best.distribution, found.x, atol=1e-5)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("d", [1, 3, 40])
def test_hard_ones_meet_their_conditions(power, d, rng):
    """Gaussians on a line are singular in float64, exponentials in many dimensions the identity."""
    x = rng.normal(size=(200, d))
    z = np.exp(-(((x[:, None] - x) ** 2).sum(axis=-1) ** (power / 2)))
    found = least_on_simplex(z, 1e-12)
    gap = found.value * (z @ found.p) - 1
    assert max(-gap.min(), np.abs(gap[found.p > 0]).max()) == found.residual <= 1e-10


def test_what_elements_may_be(rng):
    images = rng.integers(0, 256, (6, 4, 4), np.uint8)
    flat = images.reshape(6, -1) / 255
    z = np.exp(-np.sqrt(((flat[:, None] - flat) ** 2).mean(axis=-1)))
    wanted = maximum_diversity(z).value
    for given_ in (
        maximum_diversity(images),
        maximum_diversity(images, "rmsd"),
        maximum_diversity(lcrjax.Precomputed(z)),
        maximum_diversity(scipy.sparse.csr_array(z)),
        maximum_diversity(images, z),
    ):
        np.testing.assert_allclose(given_.value, wanted, rtol=1e-6)
    words = ["kitten", "sitting", "mitten"]
    assert 1 < maximum_diversity(words, lcrjax.NGrams()).value < 3
    assert maximum_diversity(np.arange(4), lcrjax.Identity()).value == pytest.approx(4)


def test_a_matrix_in_a_file(tmp_path):
    np.save(tmp_path / "Z.npy", np.eye(3))
    np.savetxt(tmp_path / "Z.csv", np.eye(3), delimiter=",")
    assert maximum_diversity(str(tmp_path / "Z.npy")).value == pytest.approx(3)
    with pytest.raises(ValueError, match="does not say its size: give the matrix"):
        maximum_diversity(tmp_path / "Z.csv")


def test_in_single_precision_the_conditions_are_met(rng):
    """A similarity that jax alone knows is rounded to float32, and may be a little indefinite."""
    import jax.numpy as jnp

    x = np.repeat(rng.normal(size=(15, 2)), 2, axis=0).astype(np.float32)
    alike = lcrjax.Pointwise(lambda a, b: jnp.exp(-jnp.sum((a - b) ** 2)))
    assert maximum_diversity(x, alike).residual <= 1e-8


BAD = {
    r"Z\[0, 1\] is 0.2 and Z\[1, 0\] is 0.1: the most diverse mixture needs a symmetric": (
        np.array([[1, 0.2], [0.1, 1]]),
    ),
    r"elements have shape \(3, 2\): give a similarity too": (np.ones((3, 2)),),
    "the least eigenvalue of the similarities of 17 elements is -0.96": (
        graph(17, [(i, (i + 1) % 17) for i in range(17)]),
    ),
    "RMSD compares elements: give them first": (lcrjax.RMSD(),),
    r"the similarity matrix has shape \(3, 3\), but there are 2 rows": (np.zeros(2), np.eye(3)),
    "there are no elements": (np.empty((0, 0)),),
    "to itself is 2: the diagonal must be one": (2 * np.eye(3),),
    "is -0.178885: diversity is defined for similarities of at least 0": (
        np.array([[1, 0.5], [-0.6, 0.8]]),
        lcrjax.Linear(),
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    with pytest.raises(ValueError, match=message):
        maximum_diversity(*BAD[message])
