"""Similarities of one's own, and products of similarities."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax

N, K = 40, 2


class Tanimoto(lcrjax.TiledSimilarity):
    """Common bits of all bits that either has, to a power; as a stranger writes it."""

    power: float = 1.0

    def prepare(self, elements):
        return elements.astype(jnp.float32)

    def block(self, rows, columns):
        common = rows @ columns.T
        either = rows.sum(1)[:, None] + columns.sum(1)[None, :] - common
        return (common / either) ** self.power


class ByLength(lcrjax.Similarity):
    """Of words, in no tiles."""

    def ordinariness(self, elements, weights, others=None):
        own, its = (np.array([len(w) for w in words]) for words in (elements, others or elements))
        z = 1.0 * (own[:, None] == its[None, :])
        return jnp.asarray(z @ np.asarray(weights), weights.dtype)


@pytest.fixture
def bits(rng):
    bits = rng.integers(0, 2, (N, 30))
    bits[:, 0] = 1
    return bits


def tanimoto(x, y, power=1.0):
    common = (x[:, None] & y[None]).sum(-1)
    return (common / (x[:, None] | y[None]).sum(-1)) ** power


def test_two_methods_make_a_similarity(bits, rng):
    weights = rng.random((N, K)).astype("f4")
    found = lcrjax.ordinariness(bits, weights, Tanimoto(2.0), tile=32)
    np.testing.assert_allclose(found, tanimoto(bits, bits, 2.0) @ weights, rtol=1e-5)
    found = lcrjax.ordinariness(bits[:7], weights, Tanimoto(), others=bits)
    np.testing.assert_allclose(found, tanimoto(bits[:7], bits) @ weights, rtol=1e-5)
    found = lcrjax.measure(bits, np.arange(N) % 2, similarity=Tanimoto(), q=0)
    wanted = np.mean(1 / (tanimoto(bits, bits).mean(1)))
    np.testing.assert_allclose(found.dataset_level["gamma"], [wanted], rtol=1e-5)


def test_it_is_a_frozen_dataclass_and_a_pytree_whose_parameters_have_derivatives(bits):
    assert Tanimoto(3.0).power == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tanimoto().power = 2.0
    assert jax.tree.leaves(Tanimoto(3.0)) == [3.0]
    assert jax.tree.structure(Tanimoto()) != jax.tree.structure(lcrjax.Gaussian())
    weights = np.full(N, 1 / N, "f4")

    @jax.jit
    def total(similarity):
        return jnp.sum(lcrjax.ordinariness(bits, weights, similarity))

    slope = jax.grad(total)(Tanimoto(2.0)).power
    step = 1e-2
    wanted = (total(Tanimoto(2 + step)) - total(Tanimoto(2 - step))) / (2 * step)
    np.testing.assert_allclose(slope, wanted, rtol=1e-2)


def test_one_may_weigh_elements_oneself():
    found = lcrjax.ordinariness(["a", "bb", "cc"], [0.5, 0.25, 0.25], ByLength())
    np.testing.assert_allclose(found, [0.5, 0.5, 0.5])


def test_one_that_does_neither_is_refused():
    class Nothing(lcrjax.Similarity):
        pass

    with pytest.raises(ValueError, match="a Nothing cannot weigh elements: derive it from Tiled"):
        lcrjax.ordinariness(np.eye(2), [1.0, 1.0], Nothing())

    class Half(lcrjax.TiledSimilarity):
        def prepare(self, elements):
            return elements

    with pytest.raises(TypeError, match="abstract"):
        Half()


def products(rng):
    images = rng.integers(0, 256, (N, 4, 4), np.uint8)
    labels = np.array(["cat", "dog", "emu"])[rng.integers(0, 3, N)]
    flat = images.reshape(N, -1) / 255
    z = np.exp(-np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(-1)))
    return images, labels, z, labels[:, None] == labels[None]


def test_a_product_multiplies_similarities_of_its_own_elements(path, rng):
    images, labels, z, same = products(rng)
    weights = rng.random((N, K)).astype("f4")
    both = lcrjax.RMSD() * lcrjax.SameClass()
    found = lcrjax.ordinariness((images, labels), weights, both)
    np.testing.assert_allclose(found, (z * same) @ weights, rtol=1e-5)
    part = (images[:5], labels[:5])
    found = lcrjax.ordinariness(part, weights, both, others=(images, labels))
    np.testing.assert_allclose(found, (z * same)[:5] @ weights, rtol=1e-5)


def test_one_array_serves_all_factors(rng):
    x = rng.normal(size=(N, 5)).astype("f4")
    weights = np.eye(N, dtype="f4")
    factors = lcrjax.Gaussian(2.0), lcrjax.Cosine(), lcrjax.Laplacian(3.0)
    wanted = np.prod([lcrjax.ordinariness(x, weights, f) for f in factors], axis=0)
    product = factors[0] * factors[1] * factors[2]
    assert product.factors == factors
    np.testing.assert_allclose(lcrjax.ordinariness(x, weights, product), wanted, atol=1e-6)


def test_parameters_of_a_product_have_derivatives_also_of_classes_under_jit(rng):
    images, labels, z, same = products(rng)
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    d = -np.log(z)

    @jax.jit
    @jax.grad
    def slope(scale, labels):
        both = lcrjax.RMSD(scale) * lcrjax.SameClass()
        return jnp.sum(lcrjax.ordinariness((images, labels), np.ones(N, "f4"), both))

    found = slope(1.0, numbers)
    np.testing.assert_allclose(found, -np.sum(d * z * same), rtol=1e-4)


def test_products_of_what_does_not_fit_are_refused(rng):
    images, labels, _, _ = products(rng)
    both = lcrjax.RMSD() * lcrjax.SameClass()
    weights = np.ones(N, "f4")
    with pytest.raises(ValueError, match="3 sets of elements for 2 similarities: give a tuple"):
        lcrjax.ordinariness((images, labels, labels), weights, both)
    with pytest.raises(ValueError, match=r"the factors have \[3, 40\] elements"):
        lcrjax.ordinariness((images, labels[:3]), weights, both)
    with pytest.raises(TypeError, match="unsupported operand"):
        lcrjax.RMSD() * 2


def test_classes_under_jit_are_weighed_in_tiles(rng):
    labels = rng.integers(0, 3, N)
    weights = rng.random((N, K)).astype("f4")
    found = jax.jit(lcrjax.ordinariness)(labels, weights, lcrjax.SameClass())
    np.testing.assert_allclose(found, (labels[:, None] == labels[None]) @ weights, rtol=1e-5)
