import re
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from scipy.spatial.distance import cdist

import lcrjax
from lcrjax.measures import lanczos, vendi
from tests import reference

N = 160


def images(rng):
    return (np.cumsum(rng.normal(size=(N, 4, 32)), axis=2) * 20 + 128).clip(0, 255).astype("u1")


CASES = {
    "fast decay": (lambda rng: rng.normal(size=(N, 4)), lcrjax.Gaussian(3.0)),
    "slow decay": (lambda rng: rng.normal(size=(N, 8)), lcrjax.Laplacian(3.0)),
    "images": (images, lcrjax.RMSD(3.0)),
    "nothing alike": (lambda rng: 100 * rng.normal(size=(N, 8)), lcrjax.Gaussian(1.0)),
    "copies": (lambda rng: np.arange(N) // 4, lcrjax.SameClass()),
    "features": (lambda rng: rng.normal(size=(N, 60)), lcrjax.Linear()),
    "wide features": (lambda rng: rng.normal(size=(N, 2 * N)), lcrjax.Linear()),
    "words": (lambda rng: list("abcd" * 10), lcrjax.PythonFunction(lambda a, b: float(a == b))),
}


@pytest.mark.filterwarnings("error:the Vendi score lies")
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_all_eigenvalues(case, rng):
    make, similarity = CASES[case]
    x = make(rng)
    weights = rng.random(len(x)) + 0.1
    weights[:5] = 0
    for q, w in ((1, None), (1.5, weights), (np.inf, None)):  # and nothing warns
        right = lcrjax.vendi_score(x, similarity, q, weights=w, method="dense")
        found = lcrjax.vendi_score(x, similarity, q, weights=w, method="lanczos", tolerance=0.02)
        np.testing.assert_allclose(found, right, rtol=0.02)


def blocks(counts, alike):
    """Sparse groups of so many elements, in each all alike in one degree; their eigenvalues."""
    parts = [
        np.full((count, count), degree) + (1 - degree) * np.eye(count)
        for count, degree in zip(counts, alike, strict=True)
    ]
    values = [
        np.append(np.full(len(z) - 1, 1 - z[0, 1]), 1 + (len(z) - 1) * z[0, 1]) for z in parts
    ]
    return scipy.sparse.block_diag(parts, format="csr"), np.concatenate(values) / sum(counts)


def test_large_sparse_matrices_stay_sparse(monkeypatch, rng):
    monkeypatch.setattr(vendi, "_LARGEST_MATRIX", 1000)
    z, values = blocks(rng.integers(2, 6, 1000), rng.random(1000))
    tracemalloc.start()
    found = lcrjax.vendi_score(np.ones(z.shape[0]), z, tolerance=0.02)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found, reference.plain_power_mean(0, values, 1 / values), rtol=0.02)
    assert most < 8 * z.shape[0] ** 2 / 2, "a dense one is larger"


def test_bounds_hold_where_the_tolerance_cannot_be_kept(monkeypatch, rng):
    monkeypatch.setattr(lanczos, "_MOST_VECTORS", 96)
    x, kernel = rng.normal(size=(N, 8)), lcrjax.Laplacian(3.0)
    right = float(lcrjax.vendi_score(x, kernel, 1))
    with pytest.warns(UserWarning, match="the Vendi score lies between") as caught:
        found = float(lcrjax.vendi_score(x, kernel, 1, method="lanczos", tolerance=1e-5))
    low, high = map(float, re.findall(r"between ([\d.]+) and ([\d.]+),", str(caught[0].message))[0])
    assert low < right < high < 1.2 * low
    assert low <= found <= high


def matrices(rng):
    """Similarities: few alike, many copies, and kernels of slow and of no decay."""
    yield blocks(rng.integers(2, 6, 80), rng.random(80))[0].toarray()
    yield np.kron(np.eye(100), np.ones((3, 3)))
    for length in (3.0, 0.5):
        yield np.exp(-cdist(*[rng.normal(size=(300, 8))] * 2) / length)


def test_stated_errors_hold(rng):
    """At every look, not at the last alone."""
    for z in matrices(rng):
        n = len(z)
        values = np.linalg.eigvalsh(z / n)
        values = values[values > 1e-14]
        looks = list(lanczos._ritz_values(lambda v, z=z: z @ v / len(z), np.ones(n, bool)))
        assert looks
        for q in (1.0, 1.3, 2.0, 5.0, np.inf):
            right, last = reference.plain_power_mean(1 - q, values, 1 / values), np.inf
            for found in looks:
                best = lanczos._estimate(found, n, 1.0, q, last)
                last = best.score
                assert best.low * (1 - 1e-9) <= right <= best.high * (1 + 1e-9)
            np.testing.assert_allclose(best.score, right, rtol=1e-5)


def test_asymmetry_of_functions_and_files(rng, tmp_path):
    z = np.eye(50)
    z[0, 1:] = 0.5
    np.save(tmp_path / "z.npy", z)
    with pytest.raises(ValueError, match="not symmetric"):
        lcrjax.vendi_score(np.ones(50), tmp_path / "z.npy", method="lanczos")
    pointwise = lcrjax.Pointwise(lambda x, y: 1.0 * (x[0] >= y[0]), is_symmetric=False)
    with pytest.raises(ValueError, match="Pointwise is not symmetric"):
        lcrjax.vendi_score(rng.normal(size=(50, 1)), pointwise, method="lanczos")


def test_all_eigenvalues_of_a_large_matrix_are_asked_for(monkeypatch, rng):
    monkeypatch.setattr(vendi, "_LARGEST_MATRIX", 20)
    x, kernel = rng.normal(size=(50, 2)), lcrjax.Gaussian(1.0)
    with pytest.raises(ValueError, match=r"order 0.5 needs .* 50 rows, .* GB: give method='dense'"):
        lcrjax.vendi_score(x, kernel, 0.5)
    assert lcrjax.vendi_score(x, kernel, 0.5, method="dense") > 1
    narrow = rng.normal(size=(50, 10))
    assert lcrjax.vendi_score(narrow, lcrjax.Linear(), 0.5) < 10
