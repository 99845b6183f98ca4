import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax


def test_identity_hands_back_the_weights(rng):
    weights = rng.random((5, 2)).astype("f4")
    np.testing.assert_array_equal(
        lcrjax.ordinariness(np.arange(5), weights, lcrjax.Identity()), weights
    )


def test_identity_of_others_finds_equal_elements():
    images = np.array([[1, 2], [3, 4]], np.uint8)
    others = np.array([[3, 4], [5, 6], [3, 4]], np.uint8)
    found = lcrjax.ordinariness(images, [0.5, 0.25, 0.125], lcrjax.Identity(), others=others)
    np.testing.assert_array_equal(found, [0, 0.625])


@pytest.mark.parametrize("labels", [["a", "b", "a", "c"], [3, 1, 3, 0]])
def test_same_class_sums_the_weights_of_equal_labels(labels, rng):
    weights = rng.random((4, 2)).astype("f4")
    labels = np.array(labels)
    found = lcrjax.ordinariness(labels, weights, lcrjax.SameClass())
    z = (labels[:, None] == labels[None, :]).astype("f4")
    np.testing.assert_allclose(found, z @ weights, rtol=1e-6)
    others = labels[[2, 1]]
    z = (labels[:, None] == others[None, :]).astype("f4")
    found = lcrjax.ordinariness(labels, weights[:2], lcrjax.SameClass(), others=others)
    np.testing.assert_allclose(found, z @ weights[:2], rtol=1e-6)


def test_same_class_needs_labels():
    with pytest.raises(ValueError, match=r"labels have shape \(4, 2\)"):
        lcrjax.ordinariness(np.zeros((4, 2)), jnp.ones(4), lcrjax.SameClass())
