"""Ordinariness over eight virtual devices, and what of it each device does and needs."""

import os
import tempfile
from functools import partial
from pathlib import Path
from unittest.mock import Mock

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
)

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import lcrjax
from lcrjax.native import gpu
from lcrjax.pairwise import gpu_product
from lcrjax.pairwise.devices import product_over_mesh
from lcrjax.pairwise.ring import AXIS, ring_product
from tests.native.emulated_gpu import register

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
RNG = np.random.default_rng(0)
DEVICES = np.array(jax.devices())


class OneWay(lcrjax.TiledSimilarity):
    """Not symmetric: how much of the first lies in the second."""

    @property
    def symmetric(self):
        return False

    def prepare(self, elements):
        return elements.astype(jnp.float32)

    def block(self, rows, columns):
        common = jnp.minimum(rows[:, None], columns[None]).sum(-1)
        return common / rows.sum(1)[:, None]


def reference(similarity, x):
    """Z in float64."""
    x = x.astype(float).reshape(len(x), -1)
    if isinstance(similarity, OneWay):
        return np.minimum(x[:, None], x[None]).sum(-1) / x.sum(1)[:, None]
    if isinstance(similarity, lcrjax.Cosine):
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        return np.maximum(unit @ unit.T, 0)
    apart = np.sqrt(((x[:, None] - x[None]) ** 2).mean(-1))
    return np.exp(-apart / 255)


def every_remainder():
    """Of few devices and many, the last tile begins early, and counts of elements all differ."""
    for count, numbers in ((8, range(41, 49)), (3, (13, 14, 15)), (1, (7,))):
        mesh = Mesh(DEVICES[:count].reshape((2, 4) if count == 8 else -1),
                    ("a", "b") if count == 8 else ("d",))  # fmt: skip
        for n in numbers:
            x, w = RNG.random((n, 5)).astype("f4"), RNG.random((n, 3)).astype("f4")
            found = lcrjax.ordinariness(x, w, lcrjax.Cosine(), mesh=mesh, tile=4)
            np.testing.assert_allclose(found, reference(lcrjax.Cosine(), x) @ w, rtol=1e-6)


def other_similarities():
    mesh = Mesh(DEVICES[:4], ("d",))
    x, w = RNG.integers(1, 256, (24, 3, 2), np.uint8), RNG.random((24, 2)).astype("f4")
    for similarity in (lcrjax.RMSD(), OneWay()):
        given = x if isinstance(similarity, lcrjax.RMSD) else x.reshape(24, -1)
        found = lcrjax.ordinariness(given, w, similarity, mesh=mesh, tile=4)
        np.testing.assert_allclose(found, reference(similarity, x) @ w, rtol=1e-6)
    both = (x, np.arange(24) % 3)
    similarity = lcrjax.RMSD() * lcrjax.SameClass()
    wanted = lcrjax.ordinariness(both, w, similarity)
    np.testing.assert_allclose(
        lcrjax.ordinariness(both, w, similarity, mesh=mesh), wanted, rtol=1e-6
    )


def class_layouts():
    """Sorted, mixed, one class on few devices; on the host and where they lie."""
    mesh = Mesh(DEVICES[:4], ("d",))
    images = RNG.integers(0, 256, (24, 3, 2), np.uint8)
    on_devices = jax.device_put(images, NamedSharding(mesh, PartitionSpec("d")))
    for labels in (np.arange(24) // 8, np.arange(24) % 3, np.array([0] * 21 + [1, 1, 2])):
        wanted = lcrjax.measure(images, labels)
        for given in (images, on_devices):
            found = lcrjax.measure(given, labels, mesh=mesh)
            for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    found = lcrjax.ordinariness(on_devices, np.ones((24, 2), "f4"), mesh=mesh)
    assert found.sharding.device_set == set(DEVICES[:4])


def explicit_axes():
    """As `jax.make_mesh` makes them: arrays lie there whether the mesh is given or not."""
    mesh = jax.make_mesh((8,), ("d",), axis_types=(AxisType.Explicit,))
    images, labels = RNG.integers(0, 256, (96, 3, 2), np.uint8), np.arange(96) % 3
    along = NamedSharding(mesh, PartitionSpec("d"))
    spread, its = jax.device_put(images, along), jax.device_put(labels, along)
    bits = jax.device_put((labels[:, None] == np.arange(3)).astype(int), along)
    for similarity in (None, "rmsd:10", "cosine", "gaussian:median"):
        measure = partial(lcrjax.measure, similarity=similarity)
        for more in ({}, {"rows": 12}, {"rows": 12, "columns": 48}, {"mesh": mesh}):
            wanted = jax.tree.leaves(measure(images, labels, **more))
            for given in ((spread, its), (images, its), (spread, bits)):
                if given[1] is bits and more:
                    continue
                found = jax.tree.leaves(measure(*given, **more))
                for one, other in zip(found, wanted, strict=True):
                    near = 1e-3 if "rows" in more else 1e-5  # a slope magnifies rounding
                    np.testing.assert_allclose(one, other, rtol=near, atol=1e-6)
    weights = jax.device_put(np.ones((96, 2), "f4"), along)
    both, pair = (spread, labels.tolist()), lcrjax.RMSD() * lcrjax.SameClass()
    wanted = lcrjax.ordinariness((images, labels), np.ones((96, 2), "f4"), pair)
    found = lcrjax.ordinariness(both, weights, pair, mesh=mesh)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def memory_and_work():
    """A device needs its shard and tiles; every pair is computed once, as the program counts."""
    d, k, side, m = 64, 2, 32, 1024
    for p in (8, 3):
        mesh, n = Mesh(DEVICES[:p], (AXIS,)), p * m
        along, across = (
            NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((AXIS,), (None, AXIS))
        )
        x = jax.ShapeDtypeStruct((n, d), jnp.uint8, sharding=along)
        w = jax.ShapeDtypeStruct((k, n), jnp.float32, sharding=across)
        program = ring_product.lower(lcrjax.RMSD(), x, w, mesh, side).compile()
        needed = program.memory_analysis()
        tiles = 12 * side * (4 * side + 4 * d)
        assert needed.argument_size_in_bytes <= m * (d + 4 * k) + 64
        assert needed.temp_size_in_bytes <= 4 * m * 2 * k * 2 + tiles, needed
        placed = jax.device_put(RNG.integers(0, 256, (n, d), np.uint8), x.sharding)
        ones = jax.device_put(np.ones((k, n), "f4"), w.sharding)
        _, tiles = program(lcrjax.RMSD(), placed, ones)
        each = m // side
        total = p * each
        assert np.sum(tiles) == total * (total + 1) // 2
        assert np.ptp(tiles) <= each  # shared out evenly


def by_the_kernel_for_gpus():
    """On threads that play one: more devices than one of either parity, sides that fill no tile."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            target = register(Path(folder), "HOPPER=1")
        except pytest.skip.Exception:  # where there is no compiler
            return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "target", lambda: target)
        patch.setattr(gpu, "available", lambda: True)
        patch.setattr(gpu_product, "_FEWEST_PAIRS", 0)
        asked = Mock(wraps=gpu_product.ring_comparison)
        patch.setattr(gpu_product, "ring_comparison", asked)
        for count, n in ((2, 21), (3, 16)):
            mesh, x = Mesh(DEVICES[:count], ("d",)), RNG.integers(0, 256, (n, 3, 3), np.uint8)
            w = np.zeros((n, 2), "f4")
            w[np.arange(n), RNG.integers(0, 2, n)] = RNG.random(n)
            found = lcrjax.ordinariness(x, w, lcrjax.RMSD(2.0), mesh=mesh, tile=4)
            wanted = reference(lcrjax.RMSD(), x) ** 2 @ w
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
        assert asked.call_count == 2
        assert not gpu_product.serve_ring(lcrjax.RMSD(jnp.float32(1)), x, 2, jnp.float32)
        assert not gpu_product.serve_ring(lcrjax.RMSD(60), x, 2, jnp.float32)
        assert not gpu_product.serve_ring(lcrjax.Gaussian(1.0), x, 2, jnp.float32)
        assert not gpu_product.serve_ring(lcrjax.RMSD(), x / 3, 2, jnp.float32)


def bad_input():
    mesh, x, w = Mesh(DEVICES[:4], ("d",)), np.ones((8, 3), "f4"), np.ones((8, 1), "f4")
    other = jax.device_put(x, NamedSharding(Mesh(DEVICES[:4], ("rows",)), PartitionSpec("rows")))
    fewer = jax.device_put(x, NamedSharding(Mesh(DEVICES[:2], ("d",)), PartitionSpec("d")))
    hole = jax.device_put(x * np.nan, NamedSharding(mesh, PartitionSpec("d")))
    for said, call in {
        "axis 'rows', and the mesh has 'd': give": lambda: lcrjax.ordinariness(
            other, w, lcrjax.Cosine(), mesh=mesh
        ),
        "lie on 2 devices, which are not the 4": lambda: lcrjax.ordinariness(
            fewer, w, lcrjax.Cosine(), mesh=mesh
        ),
        "NaN or infinity": lambda: lcrjax.ordinariness(hole, w, lcrjax.Gaussian(1.0), mesh=mesh),
        "give a jax.sharding.Mesh": lambda: lcrjax.ordinariness(x, w, mesh="d"),
        "Identity is not computed in tiles": lambda: lcrjax.ordinariness(
            x, w, lcrjax.Identity(), mesh=mesh
        ),
        "Gower compares rows of tables.*leave out the mesh": lambda: lcrjax.measure(
            pd.DataFrame({"a": range(8)}), np.zeros(8, int), similarity="gower", mesh=mesh
        ),
        "Gower compares rows of tables": lambda: lcrjax.ordinariness(
            (x, x), w, lcrjax.Cosine() * lcrjax.Gower(), mesh=mesh
        ),
        "Levenshtein is not computed in tiles": lambda: lcrjax.measure(
            ["a", "b"] * 4, np.zeros(8, int), similarity="edit", mesh=mesh
        ),
        "leave out rows": lambda: lcrjax.measure(x, np.zeros(8, int), mesh=mesh, rows=4),
        "others are not compared": lambda: lcrjax.ordinariness(x, w, others=x, mesh=mesh),
        "are traced": lambda: jax.jit(lambda x: product_over_mesh(lcrjax.RMSD(), x, w, mesh))(x),
    }.items():
        with pytest.raises(ValueError, match=said):
            call()


if __name__ == "__main__":
    every_remainder()
    other_similarities()
    class_layouts()
    explicit_axes()
    memory_and_work()
    by_the_kernel_for_gpus()
    bad_input()
