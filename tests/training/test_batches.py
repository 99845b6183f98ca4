import functools

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lcrjax.training.batches import as_input, count_batches, cut, shuffle


@functools.partial(jax.jit, static_argnums=1)
def cut_all(n, size):
    indices = jnp.arange(320, dtype=jnp.int32) + 7
    return jax.vmap(lambda i: cut(indices, n, size, i))(jnp.arange(80, dtype=jnp.int32))


@settings(max_examples=40)
@given(st.sampled_from([4, 7, 32]), st.integers(1, 320))
def test_batches_cover_an_epoch_and_differ_by_one_image(size, n):
    batches = count_batches(n, size)
    parts = jax.tree.map(lambda leaf: np.asarray(leaf)[:batches], cut_all(jnp.int32(n), size))
    np.testing.assert_array_equal(parts.weights.sum(1), parts.n)
    chosen = np.concatenate([c[:k] for c, k in zip(parts.chosen, parts.n, strict=True)])
    np.testing.assert_array_equal(chosen, np.arange(n) + 7)
    assert parts.n.max() <= size
    assert np.ptp(parts.n) <= 1
    # Where they are cut.
    assert np.cumsum(parts.n).tolist() == [(i + 1) * n // batches for i in range(batches)]


def test_a_million_images_overflow_nothing():
    n, size = 1_281_167, 32
    batches = count_batches(n, size)
    few = jnp.zeros(1, jnp.int32)
    counts = jax.jit(jax.vmap(lambda i: cut(few, jnp.int32(n), size, i).n))(
        jnp.arange(batches, dtype=jnp.int32)
    )
    assert counts.sum() == n
    assert set(np.unique(counts).tolist()) <= {31, 32}


def test_the_order_is_a_permutation_whatever_the_capacity():
    key = jax.random.key(0)
    short = shuffle(key, jnp.arange(40, dtype=jnp.int32), 30)[:30]
    long = shuffle(key, jnp.arange(90, dtype=jnp.int32), 30)[:30]
    np.testing.assert_array_equal(short, long)
    np.testing.assert_array_equal(np.sort(short), np.arange(30))
    assert not np.array_equal(short, np.arange(30))
    assert not np.array_equal(short, shuffle(jax.random.key(1), jnp.arange(40), 30)[:30])


def test_bytes_and_floats_mean_the_same():
    pixels = np.arange(256, dtype=np.uint8)
    as_floats = as_input(jnp.asarray((pixels / 255).astype(np.float32)), "float32")
    np.testing.assert_allclose(as_input(jnp.asarray(pixels), "float32"), as_floats, atol=1e-6)
    np.testing.assert_allclose(as_floats[jnp.array([0, 255])], [-1, 1])
    assert as_input(jnp.asarray(pixels), "bfloat16").dtype == jnp.bfloat16
