import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lcrjax.training.networks.batch_norm import batch_normalise
from lcrjax.training.networks.resnet18 import Convolution, ResNet18, max_pool
from lcrjax.training.networks.resnet18_architecture import Architecture


def build(architecture, **options):
    return ResNet18(architecture, rngs=nnx.Rngs(0), **options)


def parts(model):
    convolutions, norms = [model.stem], [model.stem_norm]
    for block in model.blocks:
        convolutions += [block.first, block.second]
        norms += [block.first_norm, block.second_norm]
        if block.projects:
            convolutions.append(block.shortcut)
            norms.append(block.shortcut_norm)
    return convolutions, norms


def full_kernel(module):
    g = module.geometry
    full = np.full((g.size, g.size, *module.kernel.shape[1:]), 7.0, np.float32)  # dead: anything
    for tap, value in zip(g.taps, np.asarray(module.kernel[...]), strict=True):
        full[tap] = value
    return jnp.asarray(full)


def plain_forward(kernels, norms, weight, bias, images, strides):
    """ResNet-18 by lax.conv_general_dilated, one operation after another, nothing shared."""
    kernels, norms = iter(kernels), iter(norms)

    def conv(x, stride):
        kernel = next(kernels)
        pad = (kernel.shape[0] - 1) // 2
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            ((pad, pad), (pad, pad)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    def norm(x):
        scale, offset = next(norms)
        mean, variance = x.mean((0, 1, 2), keepdims=True), x.var((0, 1, 2), keepdims=True)
        scale, offset = scale.reshape(1, 1, 1, -1), offset.reshape(1, 1, 1, -1)
        return (x - mean) / jnp.sqrt(variance + 1e-5) * scale + offset

    x = jax.nn.relu(norm(conv(images, strides[0])))
    x = flax.linen.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
    for stage in range(4):
        for position in range(2):
            stride = 2 if stage and not position else 1
            y = norm(conv(jax.nn.relu(norm(conv(x, stride))), 1))
            x = jax.nn.relu(y + (norm(conv(x, stride)) if stride == 2 else x))
    return x.mean((1, 2)) @ weight + bias.reshape(1, -1)


@pytest.mark.parametrize(
    ("shape", "direct"), [((8, 8, 1), True), ((8, 8, 1), False), ((36, 40, 3), True)]
)
def test_network_and_gradient_equal_a_plain_one(shape, direct):
    model = build(Architecture(*shape, 3, base=4), direct=direct)
    images = jnp.asarray(np.random.default_rng(0).normal(size=(6, *shape)), jnp.float32)
    graph, params, stats = nnx.split(model, nnx.Param, nnx.BatchStat)

    def loss(params, images):
        logits = nnx.merge(graph, params, stats, copy=True)(images, jnp.ones(6))
        return jnp.sin(logits).sum(), logits

    modules = [m for _, m in nnx.iter_modules(model)]
    convolutions, norms = parts(model)
    assert len(convolutions) == 20 == sum(isinstance(m, Convolution) for m in modules)
    strides = [c.geometry.stride for c in convolutions]
    kernels = [full_kernel(c) for c in convolutions]

    def plain_loss(kernels, images):
        pairs = [(n.scale[...], n.bias[...]) for n in norms]
        logits = plain_forward(kernels, pairs, model.weight[...], model.bias[...], images, strides)
        return jnp.sin(logits).sum(), logits

    (_, logits), (gradient, by_images) = jax.jit(
        jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    )(params, images)
    (_, expected), (plain_gradient, plain_by_images) = jax.jit(
        jax.value_and_grad(plain_loss, argnums=(0, 1), has_aux=True)
    )(kernels, images)
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=2e-4)
    np.testing.assert_allclose(by_images, plain_by_images, rtol=2e-2, atol=2e-3)
    tree = nnx.merge(graph, gradient, stats, copy=True)
    for module, expected in zip(parts(tree)[0], plain_gradient, strict=True):
        live = np.stack([expected[tap] for tap in module.geometry.taps])
        scale = np.abs(live).max()
        np.testing.assert_allclose(module.kernel[...], live, atol=2e-3 * scale)


def test_is_resnet18():
    model = nnx.eval_shape(lambda: build(Architecture(224, 224, 3, 1000)))
    count = sum(p.size for p in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert count == 11_689_512  # torchvision's ResNet-18
    assert model.stem.geometry.size == 7
    small = nnx.eval_shape(lambda: build(Architecture(28, 32, 1, 2)))
    assert (small.stem.geometry.size, small.stem.geometry.stride) == (3, 1)
    assert nnx.eval_shape(lambda: build(Architecture(28, 33, 1, 2))).stem.geometry.size == 7


def test_normalisation_and_its_gradient():
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(3, 2, size=(5, 2, 3, 4)), jnp.float32)
    scale, bias = jnp.asarray(rng.normal(size=(2, 4)), jnp.float32)
    weights = jnp.array([1.0, 1, 0, 1, 1])
    pull = jnp.asarray(rng.normal(size=x.shape), jnp.float32)

    def ours(x, scale, bias):
        return (batch_normalise(x, scale, bias, weights)[0] * pull).sum()

    def plain(x, scale, bias):
        kept = x[jnp.array([0, 1, 3, 4])]
        mean, variance = kept.mean((0, 1, 2), keepdims=True), kept.var((0, 1, 2), keepdims=True)
        scale, bias = scale.reshape(1, 1, 1, -1), bias.reshape(1, 1, 1, -1)
        return (((x - mean) / jnp.sqrt(variance + 1e-5) * scale + bias) * pull).sum()

    arguments = (0, 1, 2)
    actual = jax.jit(jax.value_and_grad(ours, arguments))(x, scale, bias)
    expected = jax.jit(jax.value_and_grad(plain, arguments))(x, scale, bias)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), actual, expected
    )


def test_padded_images_count_for_nothing():
    model = build(Architecture(8, 8, 1, 3, base=4))
    images = jnp.asarray(np.random.default_rng(0).normal(size=(6, 8, 8, 1)), jnp.float32)

    @nnx.jit
    def run(model, images, weights):
        return model(images, weights)

    expected = run(model, images[:4], jnp.ones(4))
    mean = model.stem_norm.mean[...]
    actual = run(model, images.at[4:].set(50.0), jnp.array([1.0, 1, 1, 1, 0, 0]))
    np.testing.assert_allclose(actual[:4], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.stem_norm.mean[...], mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 8), (14, 13)])
def test_max_pool(shape):
    x = jax.nn.relu(jax.random.normal(jax.random.key(0), (2, *shape, 3)))
    expected = flax.linen.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
    np.testing.assert_array_equal(max_pool(x), expected)


def test_half_precision_is_close():
    model = build(Architecture(8, 8, 1, 3, base=8))
    images = jnp.asarray(np.random.default_rng(0).normal(size=(16, 8, 8, 1)), jnp.float32)
    run = nnx.jit(lambda model, images: model(images, jnp.ones(16)))
    exact = run(model, images)
    half = run(model, images.astype(jnp.bfloat16))
    assert half.dtype == jnp.float32
    np.testing.assert_allclose(half, exact, atol=0.3)
