import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.similarity.distances import squares
from tests.compiling import quick_jit


def distances(x, y):
    """Squared distances in int64 or float64, by differences."""
    kind = np.int64 if x.dtype == np.uint8 else np.float64
    x, y = (a.reshape(len(a), -1).astype(kind) for a in (x, y))
    return np.stack([np.sum((row - y) ** 2, axis=1) for row in x])


def rmsd_similarity(x, y, scale=1.0):
    unit = 255.0 if x.dtype == np.uint8 else 1.0
    return np.exp(-scale * np.sqrt(distances(x, y) / x[0].size) / unit)


# Bytes are exact


@functools.partial(jax.jit, static_argnums=1)
def byte_distances(images, dtype):
    prepared = squares.from_bytes(images)
    return squares.byte_distances(prepared, prepared, np.dtype(dtype))


@pytest.mark.parametrize("pixels", [1, 3, 784, 33_025, 33_026, 66_050, 66_051, 100_000])
def test_squared_distances_of_bytes_are_exact_integers(pixels, rng):
    images = rng.integers(0, 256, (6, pixels), np.uint8)
    images[0], images[1], images[2, ::2] = 0, 255, 255
    wanted = distances(images, images)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(np.asarray(byte_distances(images, "float64")), wanted)
    single = byte_distances(images, "float32")
    np.testing.assert_allclose(single, wanted, rtol=1.2e-7)
    np.testing.assert_array_equal(np.diag(single), 0)


@given(images=hnp.arrays(np.uint8, (5, 17), elements=st.sampled_from([0, 1, 127, 128, 254, 255])))
@settings(max_examples=30)
def test_extreme_bytes_are_exact(images):
    np.testing.assert_array_equal(byte_distances(images, "float32"), distances(images, images))


def test_fractions_are_recognised_and_other_floats_are_not(rng):
    k = rng.integers(0, 256, (9, 5, 5), np.uint8)
    for dtype in ("f4", "f8"):
        (levels,), unit = squares.levels([(k / 255.0).astype(dtype)])
        assert unit == 255
        np.testing.assert_array_equal(levels, k)
        (levels,), unit = squares.levels([(k % 17 / 16.0).astype(dtype)])
        assert unit == 16
        np.testing.assert_array_equal(levels, k % 17)
    assert squares.levels([rng.random((9, 5)).astype("f4")]) is None
    spoilt = (k / 255.0).astype("f4")
    spoilt[8, 4, 4] = np.nextafter(spoilt[8, 4, 4], np.float32(2))
    assert squares.levels([spoilt]) is None
    assert squares.levels([spoilt - 1]) is None


N, D, K = 33, 48, 3  # ragged: one element more than the smallest tile


@pytest.mark.parametrize("measured", [lcrjax.ordinariness, lcrjax.measure])
def test_bytes_on_a_device_stay_there(measured, rng, monkeypatch, without_kernels):
    images, labels = rng.integers(0, 256, (N, D), np.uint8), np.arange(N) % K
    given = labels if measured is lcrjax.measure else np.eye(K, dtype="f4")[labels]
    expected = jax.tree.leaves(measured(images, given))
    there, fetch = jnp.asarray(images), np.asarray

    def asarray(array, *how, **more):
        assert array is not there
        return fetch(array, *how, **more)

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(np, "asarray", asarray)
    for found, known in zip(jax.tree.leaves(measured(there, given)), expected, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-5)


def test_floats_that_are_fractions_give_the_same_bits_as_bytes(rng):
    images = rng.integers(0, 256, (N, D), np.uint8)
    weights = rng.random((N, K)).astype("f4")
    found = lcrjax.ordinariness(images, weights)
    fractions = lcrjax.ordinariness((images / 255.0).astype("f4"), weights)
    np.testing.assert_array_equal(fractions, found)
    sixteenths = lcrjax.ordinariness((images % 17 / 16.0).astype("f4"), weights)
    exact = rmsd_similarity(images % 17 / 16.0, images % 17 / 16.0) @ weights
    np.testing.assert_allclose(sixteenths, exact, rtol=1e-6)
    mixed = lcrjax.ordinariness((images / 255.0).astype("f4"), weights, others=images)
    np.testing.assert_allclose(mixed, found, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 130])
@pytest.mark.parametrize("columns", [1, 4])
def test_ragged_sizes(n, columns, rng):
    images = rng.integers(0, 256, (n, 7, 7), np.uint8)
    weights = rng.random((n, columns)).astype("f4")
    found = lcrjax.ordinariness(images, weights)
    wanted = rmsd_similarity(images, images) @ weights
    assert found.shape == (n, columns)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("tile", [1, 3, 32, 50, 128, 1024])
def test_tile_size_never_matters(tile, rng):
    images = rng.integers(0, 256, (130, 7, 7), np.uint8)
    weights = rng.random((130, 2)).astype("f4")
    wanted = rmsd_similarity(images, images) @ weights
    found = lcrjax.ordinariness(images, weights, tile=tile)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_others(rng):
    images = rng.integers(0, 256, (N, D), np.uint8)
    others = rng.integers(0, 256, (130, D), np.uint8)
    weights = rng.random((130, K)).astype("f4")
    found = lcrjax.ordinariness(images, weights, others=others)
    np.testing.assert_allclose(found, rmsd_similarity(images, others) @ weights, rtol=1e-6)
    same = rng.random((N, K)).astype("f4")
    square = lcrjax.ordinariness(images, same, others=images)
    np.testing.assert_allclose(square, lcrjax.ordinariness(images, same), rtol=1e-6)


def test_one_column_may_be_a_vector(rng):
    images = rng.integers(0, 256, (N, D), np.uint8)
    weights = rng.random(N)
    flat, table = (lcrjax.ordinariness(images, w) for w in (weights, weights[:, None]))
    assert flat.shape == (N,)
    np.testing.assert_array_equal(flat, table[:, 0])


def test_weights_may_be_integers_and_lists():
    images = np.array([[0, 0], [255, 255]], np.uint8)
    found = lcrjax.ordinariness(images, [1, 1])
    np.testing.assert_allclose(found, 1 + np.exp(-1), rtol=1e-6)


# Other floats


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("spread", [1.0, 0.01])
def test_near_duplicates_of_floats_keep_their_digits(offset, spread, path, rng):
    """Each element of the second half is a copy of one of the first, 1e-7 to 1e-1 away."""
    half = rng.normal(size=(16, D)) * spread + offset
    far = 10.0 ** rng.uniform(-7, -1, (16, 1))
    step = rng.normal(size=(16, D))
    copies = half + far * step / np.linalg.norm(step, axis=1, keepdims=True)
    vectors = np.concatenate([half, copies, half[:1]]).astype("f4")
    exact = vectors.astype(float)
    squared = distances(exact, exact)
    kernels = {
        lcrjax.RMSD(): np.exp(-np.sqrt(squared / D)),
        lcrjax.RMSD(10.0): np.exp(-10 * np.sqrt(squared / D)),
        lcrjax.Laplacian(0.5): np.exp(-np.sqrt(squared) / 0.5),
        lcrjax.Gaussian(0.5): np.exp(-squared / 0.5),
    }
    for kernel, wanted in kernels.items():
        found = lcrjax.ordinariness(vectors, np.eye(N, dtype="f4"), kernel)
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0, err_msg=str(kernel))
        across = lcrjax.ordinariness(vectors, np.eye(N, dtype="f4"), kernel, others=vectors)
        np.testing.assert_allclose(across, wanted, atol=1e-5, rtol=0, err_msg=str(kernel))


def test_identical_floats_are_wholly_alike(path, rng):
    vectors = np.repeat(rng.normal(size=(1, D)) + 100, N, axis=0).astype("f4")
    found = lcrjax.ordinariness(vectors, np.eye(N, dtype="f4"))
    np.testing.assert_allclose(found, 1, atol=1e-5)


def test_float64_throughout(x64, rng):
    vectors, weights = rng.normal(size=(N, D)) + 5, rng.random((N, K))
    vectors[1] = vectors[0] + 1e-9
    vectors[2] = vectors[0]
    found = lcrjax.ordinariness(vectors, weights)
    assert found.dtype == jnp.float64
    np.testing.assert_allclose(found, rmsd_similarity(vectors, vectors) @ weights, rtol=1e-12)
    images = rng.integers(0, 256, (N, D), np.uint8)
    exact = rmsd_similarity(images, images) @ weights
    np.testing.assert_allclose(lcrjax.ordinariness(images, weights), exact, rtol=1e-13)


def test_width_follows_the_inputs(x64, rng):
    images = rng.integers(0, 256, (N, D), np.uint8)
    assert lcrjax.ordinariness(images, np.ones(N, "f4")).dtype == jnp.float32


# Derivatives


def dense(similarity, x, weights):
    """The same by one dense formula in jax.numpy."""
    gap = x[:, None] - x[None, :]
    squared = jnp.sum(gap**2, axis=-1)
    apart = squared > 0
    rmsd = jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1) / x.shape[1]), 0)
    return jnp.exp(-similarity.scale * rmsd) @ weights


def random_sum(compute, mix):
    return lambda scale, x, weights: jnp.sum(compute(lcrjax.RMSD(scale), x, weights) * mix)


def tiled(similarity, x, weights):
    return lcrjax.ordinariness(x, weights, similarity)


def test_derivatives_equal_those_of_the_dense_formula(x64, rng):
    x, weights, mix = rng.normal(size=(N, 6)), rng.random((N, K)), rng.normal(size=(N, K))
    x[3] = x[20] = x[32]  # identical elements, in one tile and in two
    given = (0.7, x, weights)
    wanted = quick_jit(jax.grad(random_sum(dense, mix), (0, 1, 2)))(*given)
    found = jax.jit(jax.grad(random_sum(tiled, mix), (0, 1, 2)))(*given)
    for one, other in zip(found, wanted, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


def test_derivatives_equal_finite_differences(x64, rng):
    x, weights, mix = rng.normal(size=(N, 6)), rng.random((N, K)), rng.normal(size=(N, K))
    value = quick_jit(random_sum(tiled, mix))
    given = [np.float64(0.7), x, weights]
    found = quick_jit(jax.grad(random_sum(tiled, mix), (0, 1, 2)))(*given)
    for i, slope in enumerate(found):
        direction = rng.normal(size=np.shape(slope))

        def moved(step, i=i, direction=direction):
            return value(*(v + step * direction if j == i else v for j, v in enumerate(given)))

        difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
        np.testing.assert_allclose(np.sum(slope * direction), difference, rtol=1e-6)


def test_float32_derivatives_are_finite_where_elements_coincide(rng):
    x = np.repeat(rng.normal(size=(1, 6)), N, axis=0).astype("f4")
    mix = rng.normal(size=(N, K)).astype("f4")
    found = quick_jit(jax.grad(random_sum(tiled, mix), (0, 1, 2)))(1.0, x, np.abs(mix))
    assert all(np.isfinite(slope).all() for slope in found)


def test_derivatives_with_respect_to_others(rng):
    x, y = (rng.normal(size=(n, 6)).astype("f4") for n in (N, 40))
    weights = rng.random((40, K)).astype("f4")

    def exact(x, y):
        squared = jnp.sum((x[:, None] - y[None, :]) ** 2, axis=-1)
        return jnp.sum(
            jnp.exp(-jnp.sqrt(squared / 6)) @ weights * jnp.arange(K, dtype="f4")[None, :]
        )

    def tiles(x, y):
        return jnp.sum(
            lcrjax.ordinariness(x, weights, others=y) * jnp.arange(K, dtype="f4")[None, :]
        )

    both = (quick_jit(jax.grad(total, (0, 1)))(x, y) for total in (tiles, exact))
    for found, wanted in zip(*both, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_scale_of_bytes_can_be_differentiated(rng):
    images, weights = rng.integers(0, 256, (N, D), np.uint8), rng.random((N, K)).astype("f4")

    def total(scale):
        return jnp.sum(lcrjax.ordinariness(images, weights, lcrjax.RMSD(scale)))

    exact = distances(images, images)
    rmsd = np.sqrt(exact / D) / 255
    wanted = -np.sum((rmsd * np.exp(-0.7 * rmsd)) @ weights)
    np.testing.assert_allclose(jax.grad(total)(0.7), wanted, rtol=1e-5)


def test_works_under_jit_and_vmap(rng):
    images = rng.integers(0, 256, (2, N, D), np.uint8)
    weights = rng.random((N, K)).astype("f4")
    both = jax.jit(jax.vmap(lcrjax.ordinariness, (0, None)))(images, weights)
    for found, each in zip(both, images, strict=True):
        np.testing.assert_allclose(found, rmsd_similarity(each, each) @ weights, rtol=1e-6)
    floats = rng.normal(size=(2, N, D)).astype("f4")
    mapped = jax.vmap(lambda x: lcrjax.ordinariness(x, weights))(floats)
    for found, each in zip(mapped, floats, strict=True):
        np.testing.assert_allclose(found, rmsd_similarity(each, each) @ weights, rtol=1e-5)


def test_second_and_forward_derivatives_equal_those_of_the_dense_formula(x64, rng):
    """With near-duplicates, whose directions products would blur."""
    x, weights, mix = rng.normal(size=(5, 2)), rng.random((5, 1)), rng.normal(size=(5, 1))
    x[3] = x[1] + 1e-7 * x[0]
    given = (np.float64(0.7), x, weights)
    for mode in (jax.hessian, jax.jacfwd):
        wanted, found = (
            quick_jit(mode(random_sum(compute, mix), (0, 1, 2)))(*given)
            for compute in (dense, tiled)
        )
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            size = 1 + np.abs(other).max()
            np.testing.assert_allclose(one / size, other / size, rtol=0, atol=1e-8)


def test_forward_derivatives_agree_with_reverse_ones_in_a_batch(rng):
    x, weights = rng.normal(size=(2, N, D)).astype("f4"), rng.random(N).astype("f4")
    moved = rng.normal(size=x.shape).astype("f4")

    def one(x):
        return lcrjax.ordinariness(x, weights, lcrjax.Laplacian(5.0))

    slopes = quick_jit(jax.vmap(lambda x, dx: jax.jvp(one, (x,), (dx,))[1]))(x, moved)
    pull = quick_jit(lambda x, ct: jax.vjp(one, x)[1](ct)[0])
    ct = np.linspace(-1, 1, N, dtype="f4")
    for each, dx, along in zip(x, moved, slopes, strict=True):
        np.testing.assert_allclose(np.sum(pull(each, ct) * dx), along @ ct, rtol=1e-4)


def test_reverse_derivatives_of_reverse_ones_are_refused(rng):
    x, weights = rng.normal(size=(4, 3)).astype("f4"), np.ones(4, "f4")
    slope = jax.grad(lambda x: jnp.sum(lcrjax.ordinariness(x, weights)))
    with pytest.raises(ValueError, match="Reverse-mode differentiation"):
        jax.eval_shape(jax.jacrev(slope), x)


@pytest.mark.parametrize("kernel", [lcrjax.RMSD(), lcrjax.Cosine(), lcrjax.Identity()])
def test_either_byte_order(kernel, rng):
    x, weights = rng.normal(size=(9, 3)), rng.random(9)
    found = lcrjax.ordinariness(x.astype(">f4"), weights.astype(">f4"), kernel)
    wanted = lcrjax.ordinariness(x.astype("f4"), weights.astype("f4"), kernel)
    np.testing.assert_array_equal(found, wanted)


# Bad input


@pytest.mark.parametrize(
    ("elements", "weights", "options", "message"),
    [
        (np.zeros((3, 2)), np.ones(2), {}, r"weights have shape \(2,\): give \(3,\)"),
        (np.zeros((3, 2)), np.ones((3, 1, 1)), {}, r"weights have shape \(3, 1, 1\)"),
        (np.zeros((0, 2)), np.ones(0), {}, "there are no elements"),
        (np.zeros((3, 2)), np.ones(4), {"others": np.zeros((4, 3))}, "must agree"),
        (np.zeros((3, 2)), np.ones(4), {"others": np.zeros((3, 2))}, r"weights have shape \(4,\)"),
        (np.full((3, 2), np.nan), np.ones(3), {}, r"NaN or infinity, first at \(0, 0\)"),
        (np.zeros(3), np.ones(3), {}, r"elements have shape \(3,\)"),
        (np.zeros((3, 2), "i8"), np.ones(3), {}, "dtype int64"),
        (np.full((3, 2), "a"), np.ones(3), {}, "give a similarity"),
        (np.zeros((3, 2)), np.ones(3), {"tile": 0}, "tile is 0"),
    ],
)
def test_bad_input_is_named(elements, weights, options, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.ordinariness(elements, weights, **options)


def test_elements_may_be_lists_of_traced_numbers():
    found = jax.jit(lambda x: lcrjax.ordinariness([[x], [x + 1]], [1.0, 2.0], lcrjax.Gaussian()))(
        3.0
    )
    near = np.exp(-0.5)
    np.testing.assert_allclose(found, [1 + 2 * near, near + 2], rtol=1e-6)


def test_many_columns_at_once_are_as_a_few_at_a_time(rng, path):
    """Of more columns than a kernel in C weighs quickly, matrices are multiplied."""
    x, w = rng.random((40, 3)).astype("f4"), rng.random((40, 70)).astype("f4")
    few = [
        lcrjax.ordinariness(x, w[:, j : j + 10], lcrjax.Laplacian(1.0)) for j in range(0, 70, 10)
    ]
    together = lcrjax.ordinariness(x, w, lcrjax.Laplacian(1.0))
    np.testing.assert_allclose(together, np.concatenate(few, axis=1), rtol=2e-6)
