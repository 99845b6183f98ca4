import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax.training.networks.convolution import Geometry, convolve

SHAPES = [
    # height, width, size, stride, padding
    (1, 1, 3, 1, 1),
    (2, 2, 3, 1, 1),
    (2, 2, 3, 2, 1),
    (1, 1, 3, 2, 1),
    (3, 3, 3, 1, 1),
    (1, 5, 3, 1, 1),
    (2, 7, 3, 2, 1),
    (4, 4, 3, 2, 1),
    (7, 7, 3, 2, 1),
    (14, 14, 3, 1, 1),
    (13, 12, 3, 2, 1),
    (9, 9, 1, 2, 0),
    (6, 5, 1, 1, 0),
    (33, 40, 7, 2, 3),
    (10, 9, 7, 1, 3),
    (5, 5, 3, 1, 0),
]


def reference(images, full, geometry):
    pad = (geometry.padding, geometry.padding)
    return jax.lax.conv_general_dilated(
        images,
        full,
        (geometry.stride, geometry.stride),
        (pad, pad),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def draw(geometry, batch=5, c_in=3, c_out=4):
    rng = np.random.default_rng(0)
    size = geometry.size
    images = rng.normal(size=(batch, geometry.height, geometry.width, c_in)).astype(np.float32)
    full = rng.normal(size=(size, size, c_in, c_out)).astype(np.float32)
    rows, columns = zip(*geometry.taps, strict=True)
    return jnp.asarray(images), jnp.asarray(full), jnp.asarray(full[list(rows), list(columns)])


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_lax_forwards_and_backwards(shape, direct):
    geometry = Geometry(*shape)
    images, full, live = draw(geometry)
    shape = (len(images), geometry.out_height, geometry.out_width, full.shape[3])
    cotangent = np.random.default_rng(1).normal(size=shape).astype(np.float32)

    @jax.jit
    def both(images, full, live, cotangent):
        expected, pull_reference = jax.vjp(lambda x, w: reference(x, w, geometry), images, full)
        actual, pull = jax.vjp(lambda x, w: convolve(x, w, geometry, direct), images, live)
        return expected, actual, pull_reference(cotangent), pull(cotangent)

    expected, actual, (images_expected, full_expected), (images_actual, live_actual) = both(
        images, full, live, cotangent
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(images_actual, images_expected, rtol=1e-4, atol=1e-4)
    rows, columns = zip(*geometry.taps, strict=True)
    np.testing.assert_allclose(
        live_actual, full_expected[list(rows), list(columns)], rtol=1e-4, atol=1e-4
    )
    dead = np.ones(full.shape[:2], bool)
    dead[list(rows), list(columns)] = False
    assert not np.asarray(full_expected)[dead].any()


def test_dead_taps():
    assert Geometry(1, 1, 3, 1, 1).taps == ((1, 1),)
    assert Geometry(2, 2, 3, 2, 1).taps == ((1, 1), (1, 2), (2, 1), (2, 2))
    assert len(Geometry(2, 2, 3, 1, 1).taps) == 9
    assert Geometry(1, 3, 3, 1, 1).taps == ((1, 0), (1, 1), (1, 2))


def test_large_batches_are_cut_for_the_cache():
    geometry = Geometry(16, 16, 3, 1, 1)
    images, full, live = draw(geometry, batch=70, c_in=16, c_out=3)
    gradient = jax.jit(jax.grad(lambda w: jnp.sin(convolve(images, w, geometry, True)).sum()))(live)
    expected = jax.jit(jax.grad(lambda w: jnp.sin(reference(images, w, geometry)).sum()))(full)
    np.testing.assert_allclose(gradient, expected.reshape(gradient.shape), rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 3, 1, 1), (4, 4, 3, 2, 1), (6, 6, 3, 1, 1)])
def test_vmap_over_images_and_weights(shape, direct):
    geometry = Geometry(*shape)
    images, _, live = draw(geometry, batch=6)
    many = jnp.stack([live, -2 * live, live**2])
    split = images.reshape(3, 2, *images.shape[1:])

    def loss(x, w):
        return jnp.sin(convolve(x, w, geometry, direct)).sum()

    gradient = jax.grad(loss, argnums=(0, 1))
    together = jax.jit(jax.vmap(gradient))(split, many)
    one = jax.jit(gradient)
    for i in range(3):
        alone = one(split[i], many[i])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_allclose(a, b[i], rtol=1e-4, atol=1e-4)


def test_vmapped_product_is_no_convolution():
    geometry = Geometry(6, 6, 3, 1, 1)
    images, _, live = draw(geometry, batch=6)
    step = jax.vmap(jax.grad(lambda w: convolve(images, w, geometry).sum()))
    assert "conv_general_dilated" not in str(jax.make_jaxpr(step)(jnp.stack([live, live])))


def test_half_precision_keeps_its_type():
    geometry = Geometry(4, 4, 3, 1, 1)
    images, _, live = draw(geometry)
    run = jax.jit(lambda x, w: convolve(x, w, geometry))
    out = run(images.astype("bfloat16"), live.astype("bfloat16"))
    assert out.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.astype("float32"), run(images, live), atol=0.15)


def test_wrong_shapes_are_named():
    geometry = Geometry(4, 4, 3, 1, 1)
    images, _, live = draw(geometry)
    with pytest.raises(ValueError, match="images have shape"):
        convolve(images[:, :3], live, geometry)
    with pytest.raises(ValueError, match="live taps"):
        convolve(images, live[:4], geometry)
