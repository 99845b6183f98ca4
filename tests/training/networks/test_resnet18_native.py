import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import native
from lcrjax.training import TrainingConfig, train_subsets
from lcrjax.training.epochs import Images, batch_gradient, predict, run_network
from lcrjax.training.networks.resnet18 import Architecture
from lcrjax.training.networks.resnet18_native import serves
from lcrjax.training.subsets import architecture_of
from lcrjax.training.training_state import initial_state
from tests.compiling import quick_jit

pytestmark = pytest.mark.skipif(
    jax.default_backend() != "cpu" or not native.available(), reason="no native kernels here"
)
RECIPE = TrainingConfig(base_channels=16, settling_batch=4)
# An image in the middle counts for nothing, one counts twice.
WEIGHTS = jnp.array([1.0, 1, 0, 2, 1, 1, 0])


def assert_close(actual, expected, tolerance):
    scale = np.abs(np.asarray(expected)).max() + 1e-9
    np.testing.assert_allclose(actual, expected, atol=tolerance * scale)


def in_float64(leaf):
    return leaf.astype(jnp.float64) if leaf.dtype == jnp.float32 else leaf


def draw(architecture):
    rng = np.random.default_rng(0)
    state = initial_state(jax.random.key(0), architecture, RECIPE)
    # No scale of 1 and no bias of 0, or they would not show.
    params = jax.tree.map(
        lambda leaf: leaf + 0.2 * rng.normal(size=leaf.shape) if leaf.ndim == 1 else leaf,
        state.params,
    )
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), params)
    shape = (7, architecture.height, architecture.width, architecture.channels)
    images = Images(jnp.asarray(rng.integers(0, 256, shape), jnp.uint8), jnp.arange(7) % 5)
    return dataclasses.replace(state, params=params), images


@pytest.mark.parametrize(
    ("architecture", "tolerance"),
    [
        # Moments of one pixel of five images: XLA's float32 is 1.2e-4 off as well.
        (Architecture(8, 8, 1, 5, base=16), 5e-4),
        (Architecture(21, 26, 3, 5, base=16, stem=7), 1e-4),
        (Architecture(13, 4, 2, 5, base=48), 1e-4),
        (Architecture(1, 9, 17, 5, base=16), 1e-4),
    ],
    ids=str,
)
def test_equals_the_path_through_xla(architecture, tolerance):
    """In float64."""
    state, images = draw(architecture)

    def everything(state, images, architecture):
        dtype = state.params["weight"].dtype
        weights = WEIGHTS.astype(dtype)
        pixels = images.pixels.astype(dtype) / 127.5 - 1
        gradient = batch_gradient(
            state.params, state.stats, images, jnp.arange(7), weights, architecture, RECIPE
        )
        logits, stats = run_network(
            state.params, state.stats, pixels, weights, architecture, settled=False
        )
        state = dataclasses.replace(state, stats=stats)
        return (
            gradient,
            logits[jnp.array([0, 1, 3, 4, 5])],
            stats,
            predict(state, images, architecture, RECIPE),
        )

    run = quick_jit(everything, static_argnums=2)
    actual = run(state, images, dataclasses.replace(architecture, native=True))
    with jax.enable_x64(True):
        expected = run(jax.tree.map(in_float64, state), images, architecture)
    jax.tree.map(lambda a, e: assert_close(a, e, tolerance), actual, expected)


def test_inference_cuts_a_batch_into_parts():
    architecture = Architecture(28, 28, 1, 5, base=16)
    native_one = dataclasses.replace(architecture, native=True)
    state, _ = draw(architecture)
    pixels = jax.random.uniform(jax.random.key(3), (140, 28, 28, 1), minval=-1)
    weights = (jnp.arange(140) % 7 != 3).astype(jnp.float32)

    def logits(pixels, weights, architecture):
        return run_network(state.params, state.stats, pixels, weights, architecture, settled=True)[
            0
        ]

    run = quick_jit(logits, static_argnums=2)
    live = np.asarray(weights) > 0
    actual = np.asarray(run(pixels, weights, native_one))
    assert_close(actual[live], run(pixels, weights, architecture)[live], 1e-4)
    # What an image gives depends on neither its place nor the others.
    few = np.asarray(run(pixels[60:77], jnp.ones(17), native_one))
    np.testing.assert_array_equal(actual[60:77][live[60:77]], few[live[60:77]])


def test_an_image_without_weight_may_hold_anything():
    architecture = Architecture(8, 8, 1, 5, base=16, native=True)
    state, images = draw(architecture)

    @jax.jit
    def run(pixels):
        return run_network(state.params, state.stats, pixels, WEIGHTS, architecture, settled=False)

    pixels = images.pixels / 127.5 - 1
    expected, stats = run(pixels)
    actual, same = run(pixels.at[2].set(jnp.nan))
    np.testing.assert_array_equal(actual, expected)
    jax.tree.map(np.testing.assert_array_equal, same, stats)


def test_no_image_counts():
    architecture = Architecture(8, 8, 1, 5, base=16, native=True)
    state, images = draw(architecture)
    nothing = jnp.zeros(7)
    gradient, _, right = jax.jit(
        lambda p: batch_gradient(
            p, state.stats, images, jnp.arange(7), nothing, architecture, RECIPE
        )
    )(state.params)
    assert right == 0
    assert all(not np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))


def test_a_loss_that_is_not_finite_shows():
    architecture = Architecture(8, 8, 1, 5, base=16, native=True)
    state, images = draw(architecture)
    params = jax.tree.map(lambda leaf: leaf * jnp.float32(jnp.inf), state.params)
    _, loss, _ = jax.jit(
        lambda p: batch_gradient(
            p, state.stats, images, jnp.arange(7), WEIGHTS, architecture, RECIPE
        )
    )(params)
    assert not np.isfinite(loss)


def test_trains_to_the_criterion_with_the_same_bits(digits):
    config = dataclasses.replace(RECIPE, learning_rate=3e-3, settling_batch=32, max_epochs=60)
    assert architecture_of(digits.train_images[..., None], 10, config, 1).native
    rng = np.random.default_rng(0)
    subsets = [rng.permutation(1497)[:70] for _ in range(3)]
    table = train_subsets(digits, subsets, [3, 4, 5], config)
    assert table["converged"].all()
    assert (table["bacc"] > 0.3).all()
    alone = train_subsets(digits, subsets[1:2], [4], config)
    columns = ["acc", "bacc", "auc", "auc_micro", "epochs", "train_accuracy"]
    np.testing.assert_array_equal(alone[columns].iloc[0], table[columns].iloc[1])


def test_other_recipes_take_the_other_path():
    assert serves(RECIPE)
    assert not serves(dataclasses.replace(RECIPE, base_channels=12))
    assert not serves(dataclasses.replace(RECIPE, precision="bfloat16"))
    with native.disabled():
        assert not serves(RECIPE)
