import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import native
from lcrjax.training import TrainingConfig, resnet18, train_subsets
from lcrjax.training.networks.protocol import choose_backend
from lcrjax.training.networks.resnet18 import choose_execution
from lcrjax.training.networks.resnet18_native.backend import NativeBackend, serves
from lcrjax.training.programs import make_programs

pytestmark = pytest.mark.skipif(
    jax.default_backend() != "cpu" or not native.complete(), reason="no native kernels here"
)
RECIPE = TrainingConfig(base_channels=16, settling_batch=4)
# An image in the middle counts for nothing, one counts twice.
WEIGHTS = jnp.array([1.0, 1, 0, 2, 1, 1, 0])


def assert_close(actual, expected, tolerance):
    scale = np.abs(np.asarray(expected)).max() + 1e-9
    np.testing.assert_allclose(actual, expected, atol=tolerance * scale)


def in_float64(leaf):
    return np.asarray(leaf, np.float64) if leaf.dtype == jnp.float32 else leaf


def backends(base=16, stem=None):
    """Kernels, and XLA of the same network for several models."""
    config = dataclasses.replace(RECIPE, base_channels=base)
    ours = choose_execution(config, 1, stem=stem)
    assert isinstance(ours, NativeBackend)
    return ours, choose_execution(config, 2, stem=stem)


def draw(backend, shape, n=7):
    rng = np.random.default_rng(0)
    params, statistics = jax.jit(backend.init, static_argnums=(1, 2))(jax.random.key(0), shape, 5)
    # No scale of 1 and no bias of 0, or they would not show.
    params = jax.tree.map(
        lambda leaf: (
            jnp.asarray(np.asarray(leaf) + 0.2 * rng.normal(size=leaf.shape), jnp.float32)
            if leaf.ndim == 1
            else leaf
        ),
        params,
    )
    return params, statistics, jnp.asarray(rng.uniform(-1, 1, (n, *shape)), jnp.float32)


@pytest.mark.parametrize(
    ("shape", "base", "stem", "tolerance"),
    [
        # Moments of one pixel of five images: XLA's float32 is 1.2e-4 off as well.
        ((8, 8, 1), 16, None, 5e-4),
        ((21, 26, 3), 16, 7, 1e-4),
        ((13, 4, 2), 48, None, 1e-4),
        ((1, 9, 17), 16, None, 1e-4),
    ],
    ids=str,
)
def test_equals_the_path_through_xla(shape, base, stem, tolerance):
    """In float64."""
    ours, reference = backends(base, stem)
    params, statistics, images = draw(ours, shape)
    labels = jnp.arange(7, dtype=jnp.int32) % 5

    def everything(backend, params, values, images):
        before = dataclasses.replace(statistics, values=values)
        weights = WEIGHTS.astype(images.dtype)
        gradient = backend.gradient(params, before, images, labels, weights)
        trained, found = backend.forward(params, before, images, weights, training=True)
        tested, same = backend.forward(params, found, images, weights, training=False)
        live = jnp.array([0, 1, 3, 4, 5])
        return gradient, trained[live], found.values, tested[live], same.values

    run = jax.jit(everything, static_argnums=0)
    given = (params, statistics.values, images)
    actual = run(ours, *given)
    with jax.enable_x64(True):
        expected = run(reference, *jax.tree.map(in_float64, given))
    jax.tree.map(lambda a, e: assert_close(a, e, tolerance), actual, expected)


def test_inference_cuts_a_batch_into_parts():
    ours, reference = backends()
    params, statistics, pixels = draw(ours, (28, 28, 1), 140)
    weights = (jnp.arange(140) % 7 != 3).astype(jnp.float32)

    def logits(backend, pixels, weights):
        return backend.forward(params, statistics, pixels, weights, training=False)[0]

    run = jax.jit(logits, static_argnums=0)
    live = np.asarray(weights) > 0
    actual = np.asarray(run(ours, pixels, weights))
    assert_close(actual[live], run(reference, pixels, weights)[live], 1e-4)
    # What an image gives depends on neither its place nor the others.
    few = np.asarray(run(ours, pixels[60:77], jnp.ones(17, jnp.float32)))
    np.testing.assert_array_equal(actual[60:77][live[60:77]], few[live[60:77]])


def test_an_image_without_weight_may_hold_anything():
    ours, _ = backends()
    params, statistics, pixels = draw(ours, (8, 8, 1))

    @jax.jit
    def run(pixels):
        return ours.forward(params, statistics, pixels, WEIGHTS, training=True)

    expected, found = run(pixels)
    actual, same = run(pixels.at[2].set(jnp.nan))
    np.testing.assert_array_equal(actual, expected)
    jax.tree.map(np.testing.assert_array_equal, same, found)


def test_no_image_counts():
    ours, _ = backends()
    params, statistics, pixels = draw(ours, (8, 8, 1))
    labels, nothing = jnp.zeros(7, jnp.int32), jnp.zeros(7, jnp.float32)
    gradient, _, right = jax.jit(lambda p: ours.gradient(p, statistics, pixels, labels, nothing))(
        params
    )
    assert right == 0
    assert all(not np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))


def test_a_loss_that_is_not_finite_shows():
    ours, _ = backends()
    params, statistics, pixels = draw(ours, (8, 8, 1))
    params = jax.tree.map(lambda leaf: leaf * jnp.float32(jnp.inf), params)
    labels = jnp.zeros(7, jnp.int32)
    _, loss, _ = jax.jit(lambda p: ours.gradient(p, statistics, pixels, labels, WEIGHTS))(params)
    assert not np.isfinite(loss)


def test_trains_to_the_criterion_with_the_same_bits(digits):
    config = dataclasses.replace(RECIPE, learning_rate=3e-3, settling_batch=32, max_epochs=60)
    assert isinstance(choose_backend(resnet18, config, 1), NativeBackend)
    rng = np.random.default_rng(0)
    subsets = [rng.permutation(1497)[:70] for _ in range(3)]
    table = train_subsets(digits, subsets, [3, 4, 5], config)
    assert table["converged"].all()
    assert (table["bacc"] > 0.3).all()
    alone = train_subsets(digits, subsets[1:2], [4], config)
    columns = ["acc", "bacc", "auc", "auc_micro", "epochs", "train_accuracy"]
    np.testing.assert_array_equal(alone[columns].iloc[0], table[columns].iloc[1])


def test_other_recipes_take_the_other_path():
    assert serves(RECIPE, 1)
    assert not serves(RECIPE, 2)
    assert not serves(dataclasses.replace(RECIPE, base_channels=12), 1)
    assert not serves(dataclasses.replace(RECIPE, precision="bfloat16"), 1)


def test_switched_off_within_a_process_other_programs_run():
    """Asked whenever training is called, not when something was compiled."""
    backend = choose_backend(resnet18, RECIPE, 1)
    programs = make_programs(backend, (8, 8, 1), 10, RECIPE)
    with native.disabled():
        assert not serves(RECIPE, 1)
        other = choose_backend(resnet18, RECIPE, 1)
        assert make_programs(other, (8, 8, 1), 10, RECIPE) is not programs
    assert isinstance(backend, NativeBackend)
    assert not isinstance(other, NativeBackend)
    assert make_programs(choose_backend(resnet18, RECIPE, 1), (8, 8, 1), 10, RECIPE) is programs
