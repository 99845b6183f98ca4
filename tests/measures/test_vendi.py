import re
import warnings

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import lcrjax
from lcrjax.measures import spectrum
from lcrjax.similarity import precomputed
from tests import reference

S, D = 16, 4
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)


def wanted(z, p, q):
    """The Hill number of eigenvalues, in NumPy float64."""
    p = p / p.sum()
    values = np.linalg.eigvalsh(np.sqrt(p)[:, None] * z * np.sqrt(p))
    values = values[values > 1e-5 * values.max()]
    values /= values.sum()
    return reference.plain_power_mean(1 - q, values, 1 / values)


@pytest.fixture
def z(rng):
    """Make a kernel of well-separated vectors, far from singular."""
    x = 3 * rng.normal(size=(S, D))
    return np.exp(-np.sum((x[:, None] - x[None]) ** 2, axis=-1) / 8)


@pytest.mark.parametrize("q", Q)
def test_equals_the_definition(q, z, rng):
    q, p = float(np.float32(q)), rng.random(S) + 0.1
    for counts in (np.ones(S), p, np.stack([p / 2, p / 2], axis=1)):
        pooled = counts.reshape(S, -1).sum(axis=1)
        np.testing.assert_allclose(
            lcrjax.vendi_score(counts, z, q), wanted(z, pooled, q), rtol=1e-4
        )


def test_float64(x64, z, rng):
    p = rng.random(S) + 0.1
    for q in Q[1:]:
        found = lcrjax.vendi_score(p, z, q)
        assert found.dtype == jnp.float64
        np.testing.assert_allclose(found, wanted(z, p, q), rtol=1e-9)


@pytest.mark.parametrize("q", Q)
def test_extremes(q):
    np.testing.assert_allclose(lcrjax.vendi_score(np.ones(S), np.eye(S), q), S, rtol=1e-5)
    np.testing.assert_allclose(lcrjax.vendi_score(np.ones(S), np.ones((S, S)), q), 1, rtol=1e-4)
    blocks = np.kron(np.eye(4), np.ones((4, 4)))
    np.testing.assert_allclose(lcrjax.vendi_score(np.ones(S), blocks, q), 4, rtol=1e-4)
    p = np.arange(1, S + 1)
    hill = lcrjax.hill_number(p, q)
    np.testing.assert_allclose(lcrjax.vendi_score(p, None, q), hill, rtol=1e-6)
    np.testing.assert_allclose(lcrjax.vendi_score(p, np.eye(S), q), hill, rtol=1e-5)
    np.testing.assert_allclose(lcrjax.vendi_score(p, lcrjax.Identity(), q), hill, rtol=1e-6)


@pytest.mark.parametrize("q", Q)
def test_linear_kernel_through_the_smaller_matrix(q, rng):
    q, x, p = float(np.float32(q)), rng.normal(size=(S, D)), rng.random(S) + 0.1
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = lcrjax.vendi_score(x.astype("f4"), lcrjax.Linear(), q)
    np.testing.assert_allclose(found, wanted(unit @ unit.T, np.ones(S), q), rtol=1e-4)
    found = lcrjax.vendi_score(x.astype("f4"), lcrjax.Linear(), q, weights=p)
    np.testing.assert_allclose(found, wanted(unit @ unit.T, p, q), rtol=1e-4)


def test_linear_kernel_of_many_vectors_makes_no_square_matrix():
    x = np.random.default_rng(0).normal(size=(200_000, 3)).astype("f4")
    np.testing.assert_allclose(lcrjax.vendi_score(x, lcrjax.Linear(), 1), 3, rtol=1e-3)


def test_linear_kernel_of_wide_vectors(rng):
    x = rng.normal(size=(S, 2 * S))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = lcrjax.vendi_score(x.astype("f4"), lcrjax.Linear(), 1)
    np.testing.assert_allclose(found, wanted(unit @ unit.T, np.ones(S), 1), rtol=1e-4)


def test_elements(rng):
    x, p = rng.normal(size=(S, D)).astype("f4"), rng.random(S) + 0.1
    z = np.asarray(lcrjax.ordinariness(x, np.eye(S), lcrjax.Laplacian(2.0)), float)
    for weights in (None, p):
        pooled = np.ones(S) if weights is None else weights
        found = lcrjax.vendi_score(x, lcrjax.Laplacian(2.0), 1, weights=weights)
        np.testing.assert_allclose(found, wanted(z, pooled, 1), rtol=1e-4)


@pytest.mark.parametrize("q", [0.5, 1.0, 2.0, np.inf])
def test_many_embeddings_of_uneven_spectrum(q):
    """None of these eigenvalues is rounding, however many vectors there are."""
    x = np.random.default_rng(0).normal(size=(20_000, 32)) * np.arange(1, 33) ** -1.5
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit.T @ unit / len(x))
    right = reference.plain_power_mean(1 - q, values, 1 / values)
    found = lcrjax.vendi_score(x, lcrjax.Linear(), q)
    np.testing.assert_allclose(found, right, rtol=1e-6)
    traced = jax.jit(lambda x: lcrjax.vendi_score(x, lcrjax.Linear(), q))(x.astype("f4"))
    np.testing.assert_allclose(traced, right, rtol=1e-3)


def smooth(n, length):
    """Points on a line, a smooth kernel of them, and the score of order q in 60 digits."""
    x = np.sort(np.random.default_rng(1).random(n))

    def right(q):
        with mpmath.workdps(60):
            z = mpmath.matrix(n, n)
            for i in range(n):
                for j in range(n):
                    z[i, j] = mpmath.exp(-(mpmath.mpf(x[i] - x[j]) ** 2) / (2 * length**2)) / n
            values = mpmath.eigsy(z, eigvals_only=True)
            return float(mpmath.fsum(v**q for v in values) ** (1 / (1 - mpmath.mpf(q))))

    return x[:, None], lcrjax.Gaussian(length), right


@pytest.mark.parametrize("q", [0.5, 0.25, 2.0])
def test_small_orders_of_a_smooth_kernel(q):
    """Nearly all eigenvalues are tiny; float64 knows those that count."""
    x, kernel, right = smooth(24, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lcrjax.vendi_score(x, kernel, q, tolerance=0.01)
    np.testing.assert_allclose(found, right(q), rtol=0.01)


def test_what_rounding_hides_is_said():
    x, kernel, right = smooth(24, 0.5)
    with pytest.warns(UserWarning, match="cannot be told from rounding") as caught:
        found = float(lcrjax.vendi_score(x, kernel, 0.1))
    least, most = map(float, re.findall(r"between ([\d.]+), which is given, and ([\d.]+)",
                                        str(caught[0].message))[0])  # fmt: skip
    np.testing.assert_allclose(found, least, rtol=1e-5)
    assert least < right(0.1) < most
    with pytest.warns(UserWarning, match="cannot be told from rounding"):
        single = float(lcrjax.vendi_score(np.ones(24), kernel_matrix(x, 0.5).astype("f4"), 0.1))
    assert single < found - 0.3, "float32 hides more"


def kernel_matrix(x, length):
    return np.exp(-((x - x.T) ** 2) / (2 * length**2))


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_rank(kind, rng):
    """At q = 0 the score is the numerical rank, in the precision of what is given."""
    for n, d in ((3, 2), (30, 4), (300, 30)):
        x = rng.normal(size=(n, d))
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        z = (unit @ unit.T) ** 2
        np.fill_diagonal(z, 1)
        found = lcrjax.vendi_score(np.ones(n), z.astype(kind), 0)
        np.testing.assert_allclose(found, min(n, d * (d + 1) // 2), rtol=1e-9)


def test_rank_of_what_is_traced():
    """Half of the eigenvalues are small, and twice as large as what float32 hides."""
    z = np.kron(np.eye(32), np.array([[1, 1 - 3.2e-5], [1 - 3.2e-5, 1]])).astype("f4")
    found = jax.jit(lambda z: lcrjax.vendi_score(np.ones(64), z, 0))(z)
    np.testing.assert_allclose(found, 64, rtol=1e-5)


def test_copies_change_nothing(z):
    doubled = np.kron(z, np.ones((2, 2)))
    one = lcrjax.vendi_score(np.ones(S), z, 1)
    both = lcrjax.vendi_score(np.full(2 * S, 0.5), doubled, 1)
    np.testing.assert_allclose(one, both, rtol=1e-4)


def test_falls_with_the_order(z):
    scores = [float(lcrjax.vendi_score(np.ones(S), z, q)) for q in Q]
    assert np.all(np.diff(scores) <= 1e-5 * S)


def test_works_under_jit(z):
    compiled = jax.jit(lambda z, q: lcrjax.vendi_score(jnp.ones(S), z, q))
    np.testing.assert_allclose(
        compiled(jnp.asarray(z), 2.0), lcrjax.vendi_score(np.ones(S), z, 2), rtol=1e-5
    )


@pytest.mark.parametrize("similarity", [None, lcrjax.Gaussian(2.0), lcrjax.Linear()])
def test_derivatives(similarity, z, rng, x64):
    """By a matrix, and by elements; weights are at hand."""
    p = rng.random(S) + 0.1
    x, step = (z, z - np.eye(S)) if similarity is None else rng.normal(size=(2, S, D))

    def score(at):
        if similarity is None:
            return lcrjax.vendi_score(p, at, 2)
        return lcrjax.vendi_score(at, similarity, 2, weights=p)

    h = 1e-5
    slope = (float(score(x + h * step)) - float(score(x - h * step))) / (2 * h)
    found = np.sum(jax.grad(score)(jnp.asarray(x)) * step)
    np.testing.assert_allclose(found, slope, rtol=1e-6)


def asymmetric():
    z = np.eye(3)
    z[0, 1] = 0.5
    return z


def indefinite():
    """Three elements: the first is like both others, which are not like each other."""
    z = np.eye(3)
    z[0, 1:] = z[1:, 0] = 0.9
    return z


OBTUSE = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.8, 0.6], [-1, 0.1]])


@pytest.mark.parametrize(
    ("first", "z", "options", "message"),
    [
        (np.ones(3), indefinite(), {}, "an eigenvalue of -0.0909 where all sum to one"),
        (np.ones(3), indefinite(), {"method": "lanczos"}, "an eigenvalue of -0.0909"),
        (np.ones(3), scipy.sparse.csr_array(indefinite()), {}, "an eigenvalue of -0.0909"),
        (OBTUSE, lcrjax.Cosine(), {}, "an eigenvalue of .* such as .* Linear"),
        (np.ones(3), np.eye(3), {"method": "svd"}, "method is 'svd': give one of auto"),
        (np.ones(3), np.eye(3), {"tolerance": -1.0}, "tolerance is -1"),
        (np.ones(3), np.eye(3), {"q": 0.5, "method": "lanczos"}, "order 0.5 needs all"),
        (np.ones(3), asymmetric(), {"method": "lanczos"}, r"Z\[0, 1\] is 0.5"),
        (np.ones(3), scipy.sparse.csr_array(asymmetric()), {"method": "lanczos"}, r"Z\[0, 1\]"),
        (np.ones(3), asymmetric(), {}, r"Z\[0, 1\] is 0.5 and Z\[1, 0\] is 0"),
        (np.ones(3), np.eye(2), {}, r"shape \(2, 2\), but there are 3 rows"),
        (np.ones(3), None, {"q": -1}, "viewpoints"),
        (np.ones(3), None, {"q": np.nan}, "viewpoints"),
        (np.ones(3), None, {"q": [1, 2]}, "shape"),
        (np.zeros(3), None, {}, "all counts are zero"),
        ([1, -1], None, {}, "count of element 1"),
        (np.ones(3), np.eye(3), {"weights": np.ones(3)}, "weights belong to elements"),
        (np.ones((3, 2)), lcrjax.Linear(), {"weights": np.ones(2)}, "3 elements and 2 weights"),
        (np.ones((3, 2)), lcrjax.Linear(), {"weights": [1, 1, -1]}, "count of element 2"),
        (np.full((3, 2), np.nan), lcrjax.Linear(), {}, "NaN"),
    ],
)
def test_bad_input_is_named(first, z, options, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.vendi_score(first, z, **options)


def test_names_must_agree():
    counts = pd.DataFrame({"x": [1, 2]}, index=["a", "b"])
    z = pd.DataFrame(np.eye(2), index=["b", "a"], columns=["b", "a"])
    with pytest.raises(ValueError, match="row 0 of the similarity is 'b'"):
        lcrjax.vendi_score(counts, z)


@pytest.mark.parametrize("q", Q)
def test_without_similarity_no_share_is_too_small_to_count(q):
    for p in ([1, 1e-9], [1, 1e-30, 0, 1e-6]):
        hill = lcrjax.hill_number(p, q)
        for similarity in (None, lcrjax.Identity()):
            found = lcrjax.vendi_score(p, similarity, q)
            np.testing.assert_allclose(found, hill, rtol=1e-6)
    np.testing.assert_allclose(lcrjax.vendi_score([1, 1e-9], None, 0), 2, rtol=1e-12)


def test_labels_and_products_have_scores(rng):
    """Classes of equal similarity: as many as there are classes; of a product, in each of them."""
    labels = np.repeat(["a", "b", "c"], 4)
    np.testing.assert_allclose(lcrjax.vendi_score(labels, lcrjax.SameClass(), 1), 3, rtol=1e-6)
    x = np.tile(np.eye(2, 5, dtype="f4"), (6, 1))
    both = lcrjax.Cosine() * lcrjax.SameClass()
    np.testing.assert_allclose(lcrjax.vendi_score((x, labels), both, 1), 6, rtol=1e-5)


@pytest.mark.parametrize("method", ["dense", "lanczos"])
def test_every_form_of_a_matrix(method, z, rng, tmp_path):
    p = rng.random(S) + 0.1
    np.save(tmp_path / "z.npy", z)
    z = np.where(z < 1e-3, 0, z)
    scipy.sparse.save_npz(tmp_path / "z.npz", scipy.sparse.csr_array(z))
    forms = z, pd.DataFrame(z), jnp.asarray(z), scipy.sparse.coo_array(z), z.astype(">f8")
    for given in (*forms, tmp_path / "z.npy", str(tmp_path / "z.npz")):
        found = lcrjax.vendi_score(p, given, 2, method=method)
        np.testing.assert_allclose(found, wanted(z, p, 2), rtol=1e-4)


@pytest.mark.parametrize("method", ["dense", "lanczos"])
def test_rows_in_blocks(method, z, rng, tmp_path, monkeypatch):
    """Of matrices in memory and in files, and of vectors."""
    monkeypatch.setattr(spectrum, "_NUMBERS_AT_ONCE", 3 * S)
    monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 5 * S)
    p, x = rng.random(S) + 0.1, rng.normal(size=(S, D))
    np.save(tmp_path / "z.npy", z)
    sparse = np.where(z < 1e-3, 0, z)
    scipy.sparse.save_npz(tmp_path / "z.npz", scipy.sparse.csr_array(sparse))
    for given, right in ((z, z), (tmp_path / "z.npy", z), (tmp_path / "z.npz", sparse)):
        found = lcrjax.vendi_score(p, given, 2, method=method)
        np.testing.assert_allclose(found, wanted(right, p, 2), rtol=1e-4)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    apart = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    for similarity, right in (
        (lcrjax.Linear(), unit @ unit.T),
        (lcrjax.Gaussian(2.0), np.exp(-apart / 8)),
    ):
        found = lcrjax.vendi_score(x, similarity, 2, weights=p, method=method)
        np.testing.assert_allclose(found, wanted(right, p, 2), rtol=1e-4)
