"""Convolutions and their derivatives by themselves, against sums in float64."""

import ctypes
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import native
from tests.native.c_compiler import SOURCES, compile_library

pytestmark = pytest.mark.skipif(
    jax.default_backend() != "cpu" or not native.complete(), reason="no native kernels here"
)
FORWARD, BY_IMAGES, BY_KERNEL = range(3)
# Images, height, width, channels in and out; 3x3, stride 1. Tiles of 4x4 that fit and that do not,
# one image, one or three vectors of channels, more tiles than are worked through together, more
# kernel than inputs, maps of 2x2, and shapes where tiles do not pay.
SHAPES = [
    (3, 14, 14, 16, 16),
    (1, 7, 14, 48, 16),
    (2, 10, 7, 16, 48),
    (1, 12, 12, 32, 32),
    (70, 7, 7, 16, 32),
    (9, 4, 4, 64, 80),
    (5, 4, 4, 16, 16),
    (3, 2, 2, 16, 32),
    (9, 2, 2, 48, 80),
    (70, 2, 2, 32, 16),
    (20, 2, 2, 128, 144),
    (2, 5, 9, 16, 16),
]


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory):
    """The convolutions in a library of their own, which has a call for them alone."""
    parts = ("gather", "outer", "team", "winograd", "winograd_kernel")
    sources = [
        SOURCES / "common/cancel.c",
        SOURCES / "common/ffi.c",
        *(SOURCES / f"resnet/{part}.c" for part in parts),
    ]
    out = tmp_path_factory.mktemp("conv") / "conv.so"
    compile_library(out, [Path(__file__).with_name("conv_calls.c"), *sources], "-O3")
    capsule = jax.ffi.pycapsule(ctypes.CDLL(str(out)).lcrjax_conv)
    jax.ffi.register_ffi_target("lcrjax_conv", capsule, platform="cpu")


def call(part, a, b, live, shape, *ending, alone=False):
    out = jax.ffi.ffi_call("lcrjax_conv", jax.ShapeDtypeStruct(shape, jnp.float32))
    return np.asarray(
        out(a, b, live, *ending, part=np.int64(part), alone=np.int64(alone)), np.float64
    )


def patches(images):
    """Every pixel's neighbours: (n, h, w, 9, c)."""
    height, width = images.shape[1:3]
    padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.stack(taps, 3)


def draw(n, height, width, c_in, c_out):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(n, height, width, c_in)).astype(np.float32)
    kernel = (rng.normal(size=(9, c_in, c_out)) / np.sqrt(9 * c_in)).astype(np.float32)
    cotangent = rng.normal(size=(n, height, width, c_out)).astype(np.float32)
    live = (np.arange(n) % 3 != 1).astype(np.float32)
    return images, kernel, cotangent, live


def assert_close(actual, expected, tolerance=3e-6):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * abs(expected).max())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equals_sums_in_float64(shape):
    images, kernel, cotangent, live = draw(*shape)
    counts = live[:, None, None, None]
    expected = np.einsum("nhwtk,tko->nhwo", patches(images), kernel.astype(np.float64)) * counts
    assert_close(call(FORWARD, images, kernel, live, cotangent.shape), expected)
    flipped = kernel[::-1].astype(np.float64)
    expected = np.einsum("nhwto,tko->nhwk", patches(cotangent), flipped) * counts
    assert_close(call(BY_IMAGES, cotangent, kernel, live, images.shape), expected)
    expected = np.einsum("nhwtk,nhwo->tko", patches(images), cotangent * counts.astype(np.float64))
    assert_close(call(BY_KERNEL, images, cotangent, live, kernel.shape), expected)


@pytest.mark.parametrize(
    "shape", [(3, 14, 14, 16, 48), (8, 7, 7, 32, 16), (9, 4, 4, 64, 64), (9, 2, 2, 64, 48)]
)
def test_finishes_its_results(shape):
    images, kernel, add, live = draw(*shape)
    rng = np.random.default_rng(1)
    factor, offset = rng.normal(size=(2, shape[-1])).astype(np.float32)
    actual = call(FORWARD, images, kernel, live, add.shape, factor, offset, add)
    sums = np.einsum("nhwtk,tko->nhwo", patches(images), kernel.astype(np.float64))
    expected = np.maximum(sums * factor + offset + add, 0) * live[:, None, None, None]
    assert_close(actual, expected)


@pytest.mark.parametrize(
    "shape", [(9, 14, 14, 16, 32), (9, 7, 7, 48, 16), (9, 4, 4, 64, 64), (9, 2, 2, 64, 48)]
)
def test_bits_depend_on_neither_threads_nor_other_images(shape):
    images, kernel, cotangent, live = draw(*shape)
    for part, a, b, out in [
        (FORWARD, images, kernel, cotangent),
        (BY_IMAGES, cotangent, kernel, images),
        (BY_KERNEL, images, cotangent, kernel),
    ]:
        once = call(part, a, b, live, out.shape)
        np.testing.assert_array_equal(once, call(part, a, b, live, out.shape, alone=True))
        if part != BY_KERNEL:
            every = call(part, a, b, np.ones_like(live), out.shape)
            np.testing.assert_array_equal(every[live > 0], once[live > 0])
            assert not once[live == 0].any()
