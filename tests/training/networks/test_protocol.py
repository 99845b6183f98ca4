"""Networks of one's own, trained as any other."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lcrjax.training import (
    Backend,
    FullConfig,
    Network,
    TrainingConfig,
    from_nnx,
    resnet18,
    train_full,
    train_subsets,
)
from lcrjax.training.memory import model_bytes
from lcrjax.training.networks.protocol import choose_backend
from tests.training.small_networks import NORMALISED, PLAIN, Normalised

CONFIG = TrainingConfig(learning_rate=1e-2, batch_size=16, settling_batch=32, max_epochs=80)
BOTH = pytest.mark.parametrize("network", [PLAIN, NORMALISED], ids=["plain", "normalised"])


@BOTH
@pytest.mark.parametrize("at_once", [1, 3])
def test_trains_to_the_criterion(digits, network, at_once):
    subsets = np.random.default_rng(0).permutation(1497)[:210].reshape(3, 70)
    config = dataclasses.replace(CONFIG, models_at_once=at_once)
    table = train_subsets(digits, subsets, range(3), config, network=network)
    assert table["converged"].all()
    assert (table["train_accuracy"] >= 0.99).all()
    assert (table["bacc"] > 0.5).all()


@BOTH
def test_a_full_dataset(digits, network):
    config = FullConfig(dataclasses.replace(CONFIG, max_epochs=3))
    result = train_full(digits, config, network=network)
    assert result.scores["bacc"] > 0.8
    assert result.curve["sample_accuracy"].iloc[-1] > 0.85


@BOTH
def test_padding_counts_for_nothing(network):
    images = jax.random.uniform(jax.random.key(1), (6, 8, 8, 1), jnp.float32, -1, 1)
    weights = jnp.array([1, 1, 1, 1, 0, 0], jnp.float32)
    labels = jnp.arange(6, dtype=jnp.int32)
    backend = Backend(network)
    params, statistics = jax.jit(backend.init, static_argnums=(1, 2))(
        jax.random.key(0), (8, 8, 1), 10
    )
    gradient = jax.jit(backend.gradient)
    found = [
        gradient(params, statistics, images.at[4:].set(value), labels, weights)
        for value in (0.0, 9.0)
    ]
    for a, b in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    few = gradient(params, statistics, images[:4], labels[:4], weights[:4])
    for a, b in zip(*map(jax.tree.leaves, (found[0], few)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_backend_is_chosen_by_the_network():
    class Other(Backend):
        pass

    asked = []

    def choose(config, at_once):
        asked.append((config, at_once))
        return Other(PLAIN)

    network = dataclasses.replace(PLAIN, backend=choose)
    assert isinstance(choose_backend(network, CONFIG, 3), Other)
    assert asked == [(CONFIG, 3)]
    assert choose_backend(PLAIN, CONFIG, 3) == Backend(PLAIN)
    assert Backend(PLAIN) != Other(PLAIN)  # their programs are two


def test_resnet18_takes_its_width_from_the_recipe():
    for base in (4, 16):
        config = dataclasses.replace(CONFIG, base_channels=base)
        for at_once in (1, 2):
            backend = choose_backend(resnet18, config, at_once)
            params, _ = jax.eval_shape(lambda b=backend: b.init(jax.random.key(0), (8, 8, 1), 3))
            assert params["stem"]["kernel"].shape == (9, 1, base)
    assert resnet18.name == "resnet18"


def test_state_that_cannot_be_trained_is_told():
    class Dropping(Normalised):
        def __init__(self, shape, n_classes, rngs):
            super().__init__(shape, n_classes, rngs)
            self.dropout = nnx.Dropout(0.5, rngs=rngs)

    network = from_nnx(Dropping, "dropping")
    with pytest.raises(ValueError, match=r"dropping holds \['dropout'\].*: leave out"):
        network.init(jax.random.key(0), (8, 8, 1), 3)


def test_memory_is_that_of_weights_and_of_what_the_derivative_keeps():
    def bytes_of(network, **change):
        return model_bytes(network, (8, 8, 1), 10, dataclasses.replace(CONFIG, **change))

    weights = 4 * (64 * 32 + 32 * 10)
    # Of each image the input, the hidden layer and logits, or a little more.
    assert 4 * weights < bytes_of(PLAIN) < 4 * weights + 2 * 16 * 4 * (64 + 5 * 32 + 10 * 10)
    assert bytes_of(PLAIN, batch_size=64) > bytes_of(PLAIN)
    # ResNet-18: 2.1 million live weights, four times.
    assert 4 * 4 * 2.1e6 < bytes_of(resnet18, batch_size=32) < 4 * 4 * 2.1e6 + 3e7


def test_a_name_and_two_functions_make_a_network():
    assert Network("plain", PLAIN.init, PLAIN.apply) == PLAIN
