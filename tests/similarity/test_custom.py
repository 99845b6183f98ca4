import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest

import lcrjax

N, D = 33, 4


def alike(x, y):
    return jnp.exp(-jnp.sum(jnp.abs(x - y)))


def toward(x, y):
    return jnp.exp(-jnp.sum(jnp.maximum(x - y, 0)))


def stretched(rate, x, y):
    return jnp.exp(-rate * jnp.sum(jnp.abs(x - y)))


def test_function_of_two_elements(rng):
    x, y = rng.normal(size=(N, D)).astype("f4"), rng.normal(size=(20, D)).astype("f4")
    weights = rng.random((N, 2)).astype("f4")
    z = np.exp(-np.abs(x[:, None] - x[None]).sum(-1, dtype=float))
    found = lcrjax.ordinariness(x, weights, lcrjax.Pointwise(alike))
    np.testing.assert_allclose(found, z @ weights, rtol=2e-6)
    z = np.exp(-np.abs(x[:, None] - y[None]).sum(-1, dtype=float))
    found = lcrjax.ordinariness(x, weights[:20], lcrjax.Pointwise(alike), others=y)
    np.testing.assert_allclose(found, z @ weights[:20], rtol=2e-6)


def test_asymmetric_functions_are_read_by_rows(rng):
    x, weights = rng.normal(size=(N, D)).astype("f4"), rng.random((N, 2)).astype("f4")
    z = np.exp(-np.maximum(x[:, None] - x[None], 0).sum(-1, dtype=float))
    found = lcrjax.ordinariness(x, weights, lcrjax.Pointwise(toward, is_symmetric=False))
    np.testing.assert_allclose(found, z @ weights, rtol=2e-6)
    assert np.abs(z.T @ weights - z @ weights).max() > 0.1


def test_parameters_can_be_differentiated(rng):
    x, weights = rng.normal(size=(N, D)).astype("f4"), rng.random((N, 2)).astype("f4")
    gaps = np.abs(x[:, None] - x[None]).sum(-1, dtype=float)

    def total(rate):
        return jnp.sum(lcrjax.ordinariness(x, weights, lcrjax.Pointwise(stretched, rate)))

    wanted = -np.sum((gaps * np.exp(-0.5 * gaps)) @ weights)
    np.testing.assert_allclose(jax.grad(total)(0.5), wanted, rtol=1e-5)


def test_pointwise_needs_numbers():
    with pytest.raises(ValueError, match="elements have dtype <U1: give numbers"):
        lcrjax.ordinariness(np.array(["a", "b"]), [1.0, 1.0], lcrjax.Pointwise(alike))


WORDS = ["diversity", "university", "density", "cat"]


def letters(x, y):
    return len(set(x) & set(y)) / len(set(x) | set(y))


def share_of_first(x, y):
    return len(set(x) & set(y)) / len(set(x))


@pytest.mark.parametrize(
    ("function", "symmetric"), [(letters, True), (letters, False), (share_of_first, False)]
)
def test_python_function_of_strings(function, symmetric, rng):
    weights = rng.random((4, 2)).astype("f4")
    kernel = lcrjax.PythonFunction(function, is_symmetric=symmetric)
    z = np.array([[function(x, y) for y in WORDS] for x in WORDS])
    np.testing.assert_allclose(lcrjax.ordinariness(WORDS, weights, kernel), z @ weights, rtol=1e-6)
    found = lcrjax.ordinariness(WORDS[:2], weights, kernel, others=WORDS)
    np.testing.assert_allclose(found, z[:2] @ weights, rtol=1e-6)


def test_symmetric_python_functions_are_called_once_for_a_pair():
    calls = []

    def counted(x, y):
        calls.append((x, y))
        return 1.0

    lcrjax.ordinariness(WORDS, np.ones(4), lcrjax.PythonFunction(counted))
    assert len(calls) == 4 * 5 // 2


def test_diversity_of_words():
    kernel = lcrjax.PythonFunction(letters)
    found = lcrjax.diversity([4, 3, 2, 1], kernel, elements=WORDS, q=2)
    p = np.array([0.4, 0.3, 0.2, 0.1])
    z = np.array([[letters(x, y) for y in WORDS] for x in WORDS])
    np.testing.assert_allclose(found.dataset_level["gamma"], 1 / (p @ z @ p), rtol=1e-6)


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_bad_results_of_python_functions_name_the_pair(bad):
    def function(x, y):
        return bad if {x, y} == {"university", "cat"} else 1.0

    with pytest.raises(ValueError, match="elements 1 and 3 is"):
        lcrjax.ordinariness(WORDS, np.ones(4), lcrjax.PythonFunction(function))


def test_python_functions_give_one_on_the_diagonal():
    with pytest.raises(ValueError, match=r"element 0 to itself is 0\.5"):
        lcrjax.ordinariness(WORDS, np.ones(4), lcrjax.PythonFunction(lambda x, y: 0.5))


def test_vendi_score_of_words():
    z = np.array([[letters(x, y) for y in WORDS] for x in WORDS])
    found = lcrjax.vendi_score(WORDS, lcrjax.PythonFunction(letters), 2)
    np.testing.assert_allclose(found, lcrjax.vendi_score(np.ones(4), z, 2), rtol=1e-5)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Index, pl.Series, "sorted", "filtered"])
def test_elements_of_a_python_function_count_by_position(kind):
    """Whatever pandas calls the rows: a sorted and a filtered Series are read from above."""
    if kind == "sorted":
        elements = pd.Series(WORDS).sort_values()
    elif kind == "filtered":
        series = pd.Series(["left out", *WORDS])
        elements = series[series != "left out"]
    else:
        elements = kind(WORDS)
    counts, words = np.array([4, 3, 2, 1]), list(elements)
    found = lcrjax.diversity(counts, lcrjax.PythonFunction(letters), elements=elements, q=2)
    p, z = counts / 10, np.array([[letters(x, y) for y in words] for x in words])
    np.testing.assert_allclose(found.dataset_level["gamma"], 1 / (p @ z @ p), rtol=1e-6)


def equal(x, y):
    return jnp.where(x == y, 1.0, 0.0)


def test_hashes_of_64_bits():
    """They are equal modulo 2**32."""
    hashes, kernel = np.array([7, 2**32 + 7]), lcrjax.Pointwise(equal)
    for given, options in ((hashes, {}), (hashes[:1], {"others": hashes})):
        name = "others" if options else "elements"
        with (
            jax.enable_x64(False),
            pytest.raises(ValueError, match=f"{name} have dtype int64 and values beyond 32 bits"),
        ):
            lcrjax.ordinariness(given, [0.5, 0.5], kernel, **options)
    same = lcrjax.PythonFunction(lambda x, y: float(x == y))
    for similarity in (lcrjax.SameClass(), same, lcrjax.Identity()):
        found = lcrjax.ordinariness(hashes, [0.25, 0.75], similarity)
        np.testing.assert_array_equal(found, [0.25, 0.75])
    with jax.enable_x64(True):
        np.testing.assert_array_equal(
            lcrjax.ordinariness(hashes, [0.25, 0.75], kernel), [0.25, 0.75]
        )


def manhattan(x, y):
    return jnp.sum(jnp.abs(x - y))


class Gap(lcrjax.TiledSimilarity):
    """A distance that passes for a similarity."""

    def prepare(self, elements):
        return elements

    def block(self, rows, columns):
        return jnp.sum(jnp.abs(rows[:, None] - columns[None]), axis=-1)


@pytest.mark.parametrize("kernel", [lcrjax.Pointwise(manhattan), Gap(),
                                    lcrjax.PythonFunction(lambda x, y: abs(x - y).sum()),
                                    Gap() * lcrjax.Cosine()])  # fmt: skip
def test_a_distance_is_refused(kernel, rng):
    x = rng.normal(size=(200, 2)).astype("f4")
    with pytest.raises(ValueError, match=r"element 0 to itself is 0: .* give exp\(-d\)"):
        lcrjax.measure(x, [0, 1] * 100, similarity=kernel)


def test_a_matrix_of_distances_is_refused():
    with pytest.raises(ValueError, match=r"element 0 to itself is 0: .* give exp\(-d\)"):
        lcrjax.diversity([1, 2, 3], np.abs(np.subtract.outer(np.arange(3), np.arange(3))))


def test_elements_of_which_some_are_not_like_themselves_are_named():
    """Of 200 elements one in four is tried."""
    x = np.ones((200, 1), "f4")
    x[100:] = 2
    bounded = lcrjax.Pointwise(lambda x, y: jnp.where(x[0] == y[0], 1.0, 0.0) * (2 - x[0]))
    with pytest.raises(ValueError, match="element 100 to itself is 0"):
        lcrjax.ordinariness(x, np.ones(200), bounded)
