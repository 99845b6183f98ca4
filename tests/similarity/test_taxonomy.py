import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lcrjax

RANKS = pd.DataFrame({
    "species": ["a", "b", "c", "d", "e", "a"],
    "genus": ["A", "A", "B", "B", "C", "A"],
    "family": ["X", "X", "X", "X", "Y", "X"],
})  # fmt: skip


def matrix(ranks, values):
    """The value of the first column in which two rows agree."""
    table = np.asarray(ranks, dtype=str)
    out = np.zeros((len(table), len(table)))
    for i, row in enumerate(table):
        for j, other in enumerate(table):
            common = [r for r in range(table.shape[1]) if row[r] == other[r]]
            out[i, j] = values[common[0]] if common else 0
    return out


@pytest.mark.parametrize("values", [None, (1, 0.5, 0.2), (1, 1, 0)])
@pytest.mark.parametrize("form", [pd.DataFrame, np.asarray, lambda x: x.convert_dtypes()])
def test_ordinariness_is_that_of_the_matrix(values, form, rng):
    z = matrix(RANKS, values or (1, 2 / 3, 1 / 3))
    w = rng.random((6, 2)).astype("f4")
    similarity = lcrjax.Taxonomy(values)
    found = lcrjax.ordinariness(form(RANKS), w, similarity)
    np.testing.assert_allclose(found, z @ w, rtol=1e-6)
    numbers = jnp.asarray(similarity.canonical(RANKS, None)[1])
    np.testing.assert_allclose(similarity.block(numbers, numbers), z, rtol=1e-6)
    others = lcrjax.ordinariness(RANKS[:2], w, similarity, others=RANKS)
    np.testing.assert_allclose(others, z[:2] @ w, rtol=1e-6)


def test_traced_numbers_and_products(rng):
    w, x = rng.random(6).astype("f4"), rng.random((6, 2)).astype("f4")
    numbers = lcrjax.Taxonomy().canonical(RANKS, None)[1]
    z = matrix(RANKS, (1, 2 / 3, 1 / 3))
    found = jax.jit(lambda y: lcrjax.ordinariness(y, w, lcrjax.Taxonomy()))(numbers)
    np.testing.assert_allclose(found, z @ w, rtol=1e-6)
    both = lcrjax.ordinariness((RANKS, x), w, lcrjax.Taxonomy() * lcrjax.Gaussian(1.0))
    apart = np.sum((x[:, None] - x[None]) ** 2, axis=2)
    np.testing.assert_allclose(both, (z * np.exp(-apart / 2)) @ w, rtol=1e-5)


def test_labelled_rows():
    found = lcrjax.measure(RANKS, ["u", "u", "u", "v", "v", "v"], similarity=lcrjax.Taxonomy(), q=1)
    z = matrix(RANKS, (1, 2 / 3, 1 / 3))
    counts = np.repeat(np.eye(2), 3, axis=0)
    right = lcrjax.diversity(counts, z, q=1)
    for name, level in right.dataset_level.items():
        np.testing.assert_allclose(found.dataset_level[name], level, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "ranks", "said"),
    [
        ((0.9, 0.5), None, "from 1 for the finest downwards"),
        ((1, 0.2, 0.5), None, "from 1 for the finest downwards"),
        ((1, -0.5), None, "from 1 for the finest downwards"),
        ((1, 0.5), RANKS, "3 ranks and 2 similarities"),
        (None, RANKS["species"].to_numpy(object), r"shape \(6,\)"),
        (None, RANKS.replace("B", None), r"elements lack 2 of 18 values, first at \(2, 1\)"),
        (None, RANKS.assign(family=list("XXXYYX")), "'B' lies in 'X' .element 2. and in 'Y'"),
    ],
)
def test_no_taxonomy(values, ranks, said):
    with pytest.raises(ValueError, match=said):
        lcrjax.ordinariness(ranks, np.ones(6, "f4"), lcrjax.Taxonomy(values))
