"""Programs for a GPU, lowered without one: nothing in them may be for CPUs alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax import native
from lcrjax.native import gpu
from lcrjax.training import Backend, TrainingConfig, resnet18
from lcrjax.training.batches import Images
from lcrjax.training.programs import make_programs

export = pytest.importorskip("jax.export", reason="this jax has no export")

BYTES = jax.ShapeDtypeStruct((70, 20), np.uint8)
FLOATS = jax.ShapeDtypeStruct((70, 20), np.float32)
WEIGHTS = jax.ShapeDtypeStruct((70, 2), np.float32)
BATCH = jax.ShapeDtypeStruct((2, 70, 20), np.uint8)


def across(x, weights):
    return lcrjax.ordinariness(x[:9], weights, others=x)


def gradient(x, weights):
    def total(scale, x, weights):
        return jnp.sum(lcrjax.ordinariness(x, weights, lcrjax.RMSD(scale)) ** 2)

    return jax.grad(total, (0, 1, 2))(1.0, x, weights)


def gaussian(x, weights):
    return lcrjax.ordinariness(x, weights, lcrjax.Gaussian(2.0))


def vendi(x):
    return lcrjax.vendi_score(x, lcrjax.Linear(), 1)


PROGRAMS = {
    "bytes": (lcrjax.ordinariness, BYTES, WEIGHTS),
    "floats": (gaussian, FLOATS, WEIGHTS),
    "bytes and others": (across, BYTES, WEIGHTS),
    "floats and others": (across, FLOATS, WEIGHTS),
    "gradient": (gradient, FLOATS, WEIGHTS),
    "batch": (jax.vmap(lcrjax.ordinariness, (0, None)), BATCH, WEIGHTS),
    "batch of gradients": (
        jax.vmap(gradient, (0, None)),
        jax.ShapeDtypeStruct((2, 70, 20), np.float32),
        WEIGHTS,
    ),
    "vendi_score": (vendi, FLOATS),
}


def lowered(function, *shapes):
    return export.export(jax.jit(function), platforms=["cuda"])(*shapes).mlir_module()


@pytest.mark.skipif(not native.available(), reason="there are no compiled kernels")
def test_programs_for_a_cpu_name_the_kernels():
    """Whose absence the other tests look for."""
    assert "lcrjax_sums_of_bytes" in jax.jit(lcrjax.ordinariness).lower(BYTES, WEIGHTS).as_text()


@pytest.mark.parametrize("name", PROGRAMS)
def test_measures_lower_for_a_gpu(name):
    function, *shapes = PROGRAMS[name]
    assert "lcrjax_" not in lowered(function, *shapes)


@pytest.mark.parametrize(
    ("scale", "kernel", "tiles"), [(20, True, False), (20.5, False, True), (None, True, True)]
)
def test_numbers_at_hand_decide_whether_the_kernel_for_gpus_serves(
    monkeypatch, scale, kernel, tiles
):
    """With both in the program the host waits for the GPU in the middle of it."""
    monkeypatch.setattr(gpu, "available", lambda: True)
    monkeypatch.setattr(gpu, "target", lambda: "kernel_for_gpus")
    traced = [np.float32(1)] if scale is None else []

    def product(x, weights, *traced):
        return lcrjax.ordinariness(x, weights, lcrjax.RMSD(*traced or [scale]))

    shapes = jax.ShapeDtypeStruct((2048, 20), np.uint8), jax.ShapeDtypeStruct((2048, 2), np.float32)
    program = jax.jit(product).trace(*shapes, *traced).lower(lowering_platforms=("cuda",))
    text = program.as_text()
    assert ("@kernel_for_gpus" in text, "stablehlo.while" in text) == (kernel, tiles)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_lowers_for_a_gpu(precision):
    config = TrainingConfig(precision=precision, base_channels=4, max_epochs=2)
    programs = make_programs(Backend(resnet18), (8, 8, 1), 3, config)
    models = jax.eval_shape(programs.start, jax.ShapeDtypeStruct((2,), np.int32))
    images = Images(
        jax.ShapeDtypeStruct((50, 8, 8, 1), np.uint8), jax.ShapeDtypeStruct((50,), np.int32)
    )
    number = jax.ShapeDtypeStruct((), np.int32)
    subsets = jax.ShapeDtypeStruct((2, 32), np.int32)
    assert "lcrjax_" not in lowered(programs.advance, models, images, subsets, number, number)
    assert "lcrjax_" not in lowered(programs.predict, models, number, images)
