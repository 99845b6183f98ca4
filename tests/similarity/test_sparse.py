import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from jax.experimental import sparse as jax_sparse

import lcrjax
from lcrjax.similarity import precomputed

S = 40


@pytest.fixture
def z(rng):
    """Make an asymmetric similarity matrix of which few pairs are alike."""
    matrix = np.where(rng.random((S, S)) < 0.1, rng.random((S, S)), 0)
    np.fill_diagonal(matrix, 1)
    return matrix


@pytest.fixture
def counts(rng):
    return rng.integers(1, 9, (S, 3)).astype("f4")


@pytest.fixture
def never_dense(monkeypatch):
    """Refuse whatever makes a sparse matrix dense."""

    def refused(*given, **named):
        raise AssertionError("made dense")

    for kind in (scipy.sparse.csr_array, jax_sparse.BCOO, jax_sparse.BCSR):
        for name in ("todense", "toarray"):
            if hasattr(kind, name):
                monkeypatch.setattr(kind, name, refused)


FORMS = {
    **{form: getattr(scipy.sparse, form) for form in ("csr_array", "csr_matrix", "csc_array",
       "coo_array", "coo_matrix", "bsr_array", "dia_array", "lil_matrix", "dok_array")},
    "BCOO": lambda z: jax_sparse.BCOO.fromdense(jnp.asarray(z), nse=S * S // 2),
    "BCSR": lambda z: jax_sparse.BCSR.fromdense(jnp.asarray(z)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_weighed(form, z, counts):
    found = lcrjax.Precomputed(FORMS[form](z)).ordinariness(None, counts)
    np.testing.assert_allclose(found, z @ counts, rtol=1e-6)
    assert found.dtype == jnp.float32


@pytest.mark.parametrize("form", ["csr", "coo"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("blocks", ["one", "many"])
def test_files_are_read_in_blocks(form, compressed, blocks, z, counts, tmp_path, monkeypatch):
    scipy.sparse.save_npz(tmp_path / "z.npz", scipy.sparse.coo_array(z).asformat(form), compressed)
    if blocks == "many":
        monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 20)
    similarity = lcrjax.Precomputed(tmp_path / "z.npz")
    np.testing.assert_allclose(similarity.ordinariness(None, counts), z @ counts, rtol=1e-6)
    sizes = [block.nnz for block in similarity.blocks(S)]
    assert sum(sizes) == np.count_nonzero(z)
    assert (max(sizes) <= 20) == (blocks == "many" and form == "csr")


def test_measures_take_it_as_the_dense_one(z, counts, never_dense):
    given, r = scipy.sparse.csr_array(z), counts[::-1].copy()
    for measure in (lcrjax.relative_diversity, lcrjax.cross_diversity):
        np.testing.assert_allclose(
            measure(counts, r, given, 2), measure(counts, r, z, 2), rtol=1e-6
        )
    found, wanted = (lcrjax.diversity(counts, x, q=(0, 1, np.inf)) for x in (given, z))
    for name, values in wanted.class_level.items():
        np.testing.assert_allclose(found.class_level[name], values, rtol=1e-5)
    labels = np.arange(S) % 3
    found, wanted = (
        lcrjax.measure(np.arange(S), labels, similarity=lcrjax.Precomputed(x)) for x in (given, z)
    )
    np.testing.assert_allclose(
        found.dataset_level["alpha"], wanted.dataset_level["alpha"], rtol=1e-6
    )
    found = lcrjax.ordinariness(np.arange(S), counts, lcrjax.Precomputed(given))
    np.testing.assert_allclose(found, z @ counts, rtol=1e-6)


def test_sums_are_taken_in_float64():
    """One large and many small similarities, which float32 would lose one by one."""
    z = np.eye(2000)
    z[0, 1:] = 2.0**-26
    once = np.ones((2000, 1), "f4")
    found = lcrjax.Precomputed(scipy.sparse.csr_array(z)).ordinariness(None, once)
    assert found[0, 0] == np.float32(1 + 1999 * 2.0**-26)


def test_traced_weights_have_derivatives(z, counts, never_dense):
    similarity = lcrjax.Precomputed(scipy.sparse.csr_array(z))

    def squares(weights):
        return jnp.sum(lcrjax.ordinariness(weights, weights, similarity) ** 2)

    np.testing.assert_allclose(jax.jit(squares)(counts), np.sum((z @ counts) ** 2), rtol=1e-5)
    slopes = jax.jit(jax.grad(squares))(counts)
    np.testing.assert_allclose(slopes, 2 * z.T @ (z @ counts), rtol=1e-5)
    batch = jax.vmap(lambda w: lcrjax.ordinariness(w, w, similarity))(jnp.stack([counts, counts]))
    np.testing.assert_allclose(batch[1], z @ counts, rtol=1e-5)
    score = jax.jit(lambda w: lcrjax.diversity(w, similarity, q=1).dataset_level["alpha"])(counts)
    wanted = lcrjax.diversity(counts, z, q=1).dataset_level["alpha"]
    np.testing.assert_allclose(score, wanted, rtol=1e-5)


def test_is_a_pytree(z, counts, never_dense):
    similarity = lcrjax.Precomputed(scipy.sparse.csr_array(z))
    found = jax.jit(lambda s: s.ordinariness(None, counts))(similarity)
    np.testing.assert_allclose(found, z @ counts, rtol=1e-5)


def test_entries_of_one_place_are_summed(counts):
    place = np.concatenate([np.arange(S), np.arange(S)])
    z = scipy.sparse.coo_array((np.full(2 * S, 0.5), (place, place)), (S, S))
    rows = scipy.sparse.csr_array((np.full(2 * S, 0.5), np.repeat(np.arange(S), 2),
                                   2 * np.arange(S + 1)), (S, S))  # fmt: skip
    for given in (z, rows):
        found = lcrjax.Precomputed(given).ordinariness(None, counts)
        np.testing.assert_array_equal(found, counts)
    assert rows.nnz == 2 * S, "what is given stays as it is"


def broken():
    z = scipy.sparse.csr_array(np.eye(3))
    z.indices[2] = 7
    return z


def with_entry(value, i=1, j=2):
    z = np.eye(3)
    z[i, j] = value
    return z


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (with_entry(-0.5), "elements 1 and 2 is -0.5"),
        (with_entry(np.nan), "elements 1 and 2 is nan"),
        (with_entry(np.inf), "elements 1 and 2 is inf"),
        (with_entry(0.25, 2, 2), "element 2 to itself is 0.25"),
        (with_entry(0, 1, 1), "element 1 to itself is 0"),
        (np.eye(3, 4), r"shape \(3, 4\): it must be square"),
        (np.eye(3) * 1j, "dtype complex128: give numbers"),
    ],
)
def test_bad_matrices_name_the_elements(z, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        lcrjax.Precomputed(scipy.sparse.coo_array(z))
    scipy.sparse.save_npz(tmp_path / "z.npz", scipy.sparse.csr_array(z))
    with pytest.raises(ValueError, match=r"rows of 4 numbers|" + message):
        lcrjax.Precomputed(tmp_path / "z.npz").ordinariness(None, np.ones((3, 1)))


def test_indices_outside_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is broken"):
        lcrjax.Precomputed(broken())
    np.savez(tmp_path / "z.npz", format=b"csr", shape=(3, 3), data=np.ones(3),
             indices=np.array([0, 1, 7]), indptr=np.arange(4))  # fmt: skip
    with pytest.raises(ValueError, match="is broken"):
        lcrjax.Precomputed(tmp_path / "z.npz").ordinariness(None, np.ones((3, 1)))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.ones(3)}, "is no matrix of scipy.sparse.save_npz"),
        ({"format": b"csr", "shape": (3, 3), "data": np.ones(2), "indices": np.arange(3),
          "indptr": np.arange(4)}, "ends too early"),
        ({"format": b"csr", "shape": (3, 3), "data": np.ones(3), "indices": np.arange(3),
          "indptr": np.array([0, 2, 1, 3])}, "do not follow"),
    ],
)  # fmt: skip
def test_files_that_hold_something_else(arrays, message, tmp_path):
    np.savez(tmp_path / "z.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        lcrjax.Precomputed(tmp_path / "z.npz").ordinariness(None, np.ones((3, 1)))


def test_sizes_must_agree(z, counts, tmp_path):
    scipy.sparse.save_npz(tmp_path / "z.npz", scipy.sparse.csr_array(z))
    with pytest.raises(ValueError, match=r"shape \(40, 40\), but there are 39 rows"):
        lcrjax.diversity(counts[1:], scipy.sparse.csr_array(z))
    with pytest.raises(ValueError, match="rows of 40 numbers, but there are 39"):
        lcrjax.diversity(counts[1:], tmp_path / "z.npz")
