import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax.pairwise.product import _jitted
from lcrjax.pairwise.tiling import padded_tiles, tile_side


def test_sides_are_powers_of_two_no_larger_than_need_be():
    for n in (1, 2, 31, 32, 33, 100, 511, 512):
        side = tile_side(n)
        assert side & (side - 1) == 0
        assert side >= min(n, 32)
        assert side < 2 * max(n, 32)
    assert tile_side(10**6) == tile_side(10**7)
    assert tile_side(1000, 128) == 128
    with pytest.raises(ValueError, match="tile is -3"):
        tile_side(10, -3)


def test_size_classes_are_few_and_waste_an_eighth_at_most():
    side = 64
    sizes = {padded_tiles(n, side) for n in range(1, 64_001)}
    assert len(sizes) < 80
    for n in (1, 63, 64, 65, 1000, 1024, 1025, 60_000, 10**6):
        tiles = padded_tiles(n, side)
        assert tiles * side >= n
        assert tiles <= max(-(-n // side) * 9 / 8, 1)


def test_one_size_class_compiles_once(rng, without_kernels):  # which need no program
    def product(n):
        images = rng.integers(0, 256, (n, 5, 5), np.uint8)
        return lcrjax.ordinariness(images, np.ones((n, 2), "f4"), tile=32)

    product(65)
    compiled = _jitted._cache_size()
    for n in (66, 80, 95, 96):
        product(n)
    assert _jitted._cache_size() == compiled
    product(97)
    assert _jitted._cache_size() == compiled + 1


def test_parameters_of_a_similarity_do_not_compile_again(rng, without_kernels):
    images, weights = rng.integers(0, 256, (70, 25), np.uint8), np.ones((70, 2), "f4")
    lcrjax.ordinariness(images, weights, lcrjax.RMSD(0.5))
    compiled = _jitted._cache_size()
    lcrjax.ordinariness(images, weights, lcrjax.RMSD(0.25))
    assert _jitted._cache_size() == compiled


@pytest.mark.parametrize("kind", ["uint8", "float32", "derivative"])
def test_memory_is_bounded(kind):
    """The compiled program holds a compact copy and a few tiles, far below n squared."""
    n, d, k, side = 16_384, 256, 3, 128
    images = jax.ShapeDtypeStruct((n, d), np.uint8 if kind == "uint8" else np.float32)
    weights = jax.ShapeDtypeStruct((k, n), np.float32)
    count = jax.ShapeDtypeStruct((), np.int32)

    def product(scale, images, weights, counts):
        return _jitted(lcrjax.RMSD(scale), images, None, weights, counts, side)

    def slopes(scale, images, weights, counts):
        def total(*given):
            return jnp.sum(product(*given, counts))

        return jax.grad(total, (0, 1, 2))(scale, images, weights)

    scale = jax.ShapeDtypeStruct((), np.float32)
    traced = jax.jit(slopes if kind == "derivative" else product)
    program = traced.lower(scale, images, weights, (count, count)).compile()
    width = 1 if kind == "uint8" else 4
    copies = {"uint8": 1, "float32": 1, "derivative": 4}[kind]
    tile = 4 * side * max(side, d)
    allowed = copies * n * d * width + 4 * n * k * 4 + 8 * n * 4 + 16 * tile
    used = program.memory_analysis().temp_size_in_bytes
    assert used <= allowed
    assert used < n * n / 4


RESIDENT = """
import numpy as np
import lcrjax

def highest():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024

rng = np.random.default_rng(0)
few = rng.integers(0, 256, (2_100, 784), np.uint8)
lcrjax.ordinariness(few, np.ones((len(few), 10), "f4")).block_until_ready()
before = highest()
images = rng.integers(0, 256, (12_000, 784), np.uint8)
lcrjax.ordinariness(images, np.ones((len(images), 10), "f4")).block_until_ready()
print(highest() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="no /proc to read peaks from")
def test_resident_memory_is_bounded(path):
    """Of the whole process, in which kernels and XLA take memory that no compiler knows of."""
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT],
        env={**os.environ, "LCRJAX_NATIVE": "1" if path == "native" else "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    n, d, k = 12_000, 784, 10
    given = n * d + 4 * n * k
    # Two copies of the images, sums in two words; and what compilation and allocators keep.
    allowed = given + 2 * n * d + 3 * 4 * n * k + 48 * 2**20
    assert int(done.stdout) <= allowed
    assert allowed < 4 * n * n / 5
