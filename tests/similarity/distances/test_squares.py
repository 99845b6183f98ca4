"""Squared distances by matrix products are off by no more than they say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax.similarity.distances import squares


def alike(kind, n, d, rng):
    """Vectors whose products with one another are alike, and rounded the same way."""
    if kind == "equal components":
        return np.repeat(rng.normal(size=(n, 1)), d, axis=1)
    if kind == "signs":
        return 0.7 * rng.choice([-1, 1], (n, 1)) * rng.choice([-1, 1], (1, d))
    return 781.25 * rng.choice([-1, 1], (n, 1)) + 1e-3 * rng.normal(size=(n, d))


@pytest.mark.parametrize("kind", ["equal components", "signs", "nearly equal"])
@pytest.mark.parametrize(("n", "d"), [(30, 100), (100, 200), (130, 1000), (1024, 1024)])
def test_distances_are_within_their_noise(kind, n, d, rng):
    x = alike(kind, n, d, rng).astype("f4")
    rows = squares.from_floats(jnp.asarray(x), jnp.zeros(d, jnp.float32))
    found = np.asarray(jax.jit(squares.float_distances, static_argnums=2)(rows, rows, False))
    gram = x.astype(float) @ x.T.astype(float)
    true = np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram
    assert (abs(found - true) <= np.asarray(squares.distance_noise(rows, rows))).all()


def test_cosines_of_long_alike_vectors(rng):
    """Whose inner products were off by 1.5e-5."""
    x = alike("equal components", 1024, 1024, rng).astype("f4")
    z = lcrjax.ordinariness(x, np.eye(1024, 40, dtype="f4"), lcrjax.Cosine(), tile=1024)
    np.testing.assert_allclose(z, np.maximum(np.sign(x[:, :1] @ x[:40, :1].T), 0), atol=5e-6)
