"""Elements and weights spread over the devices of a mesh, of one process or of several."""

import math
import zlib
from collections import Counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Float, Num

from lcrjax.native import gpu
from lcrjax.numerics.inputs import array, check_width
from lcrjax.numerics.meshes import is_spread
from lcrjax.numerics.together import check_agreed, several
from lcrjax.pairwise import gpu_product
from lcrjax.pairwise.ring import AXIS, ring_product
from lcrjax.pairwise.tiling import LARGEST_TILES, check_tile
from lcrjax.similarity.base import Product, Similarity, TiledSimilarity, in_words


def check_mesh(mesh: Any, similarity: Similarity, elements: Any) -> None:
    """Check that elements can be compared over a mesh.

    Raises:
        ValueError: If it is none, or has not as many devices of each process; the elements are
            traced, or sharded along an axis that it lacks, or over other devices; or the similarity
            cannot be computed in tiles, or is one of tables.
    """
    if not isinstance(mesh, Mesh) or not mesh.size:
        raise ValueError(f"mesh is {mesh!r}: give a jax.sharding.Mesh, as jax.make_mesh makes it")
    if several():
        counts = Counter(device.process_index for device in mesh.devices.flat)
        if len({counts[i] for i in range(jax.process_count())}) > 1:
            each = ", ".join(f"{counts[i]} of process {i}" for i in range(jax.process_count()))
            raise ValueError(f"the mesh has devices, {each}: give a mesh with as many of each")
    for part in similarity.factors if isinstance(similarity, Product) else (similarity,):
        if not isinstance(part, TiledSimilarity):
            raise ValueError(
                f"a {type(part).__name__} is not computed in tiles: leave out the mesh"
            )
        if hasattr(part, "take"):
            raise ValueError(
                f"a {type(part).__name__} compares rows of tables, which are not spread over "
                "devices: leave out the mesh"
            )
    for x in jax.tree.leaves(elements):
        if isinstance(x, jax.core.Tracer):
            raise ValueError("elements are traced: give arrays, or leave out the mesh")
        if not is_spread(x):
            continue
        spec = x.sharding.spec if isinstance(x.sharding, NamedSharding) else ()
        axes = [
            axis for part in spec if part for axis in (part if isinstance(part, tuple) else [part])
        ]
        if missing := [axis for axis in axes if axis not in mesh.axis_names]:
            raise ValueError(
                f"elements are sharded along axis {missing[0]!r}, and the mesh has "
                f"{', '.join(map(repr, mesh.axis_names))}: give the mesh on which they lie"
            )
        if x.sharding.device_set != set(mesh.devices.flat):
            raise ValueError(
                f"elements lie on {len(x.sharding.device_set)} devices, which are not the "
                f"{mesh.size} of the mesh: give the mesh on which they lie"
            )


def product_over_mesh(
    similarity: TiledSimilarity,
    elements: Any,
    weights: Num[np.ndarray, "n k"] | Num[Array, "n k"],
    mesh: Mesh,
    *,
    tile: int | None = None,
    said: dict[str, Any] | None = None,
) -> Float[Array, "n k"]:
    """Compute Z w over the devices of a mesh, in any order of its axes.

    Args:
        similarity: Any that is computed in tiles.
        elements: n elements, sharded over the mesh; or on the host, then of several processes each
            gives a part of its own, of as many elements.
        weights: One column for each distribution, and a row for each element: of those that a
            process gives, or of all that are sharded.
        mesh: A mesh, all of whose devices take a shard.
        tile: Largest side of a tile; None chooses by backend.
        said: What else processes have to agree about, see `check_agreed`.

    Returns:
        Sharded over the mesh, where the elements are; else a row for each that was given.

    Raises:
        ValueError: If `check_mesh` says so, elements that are sharded are no multiple of the
            devices or not finite, or processes disagree.
    """
    check_mesh(mesh, similarity, elements)
    check_tile(tile)
    line = Mesh(mesh.devices.reshape(-1), (AXIS,))
    elements = _arrays(similarity, elements)
    leaves = jax.tree.leaves(elements)
    spread = any(map(is_spread, leaves))
    if spread and len(leaves[0]) % mesh.size:
        raise ValueError(
            f"there are {len(leaves[0])} sharded elements for {mesh.size} devices: give a "
            "multiple, or arrays on the host"
        )
    # This checks them, whoever computes with it.
    found = (similarity, elements) if spread else similarity.canonical(elements, None)[:2]
    if several():
        agreed = (said or {}) | in_words(similarity) | _of_elements(leaves, weights, mesh, spread)
        check_agreed(agreed | {"the largest side of a tile": str(tile)})
    if spread:
        elements = jax.device_put(elements, NamedSharding(line, PartitionSpec(AXIS)))
    else:
        if not several():
            similarity, elements = found[0], found[1]
        elements = jax.tree.map(lambda x: _placed(np.asarray(x), line), elements)
    by_kernel = gpu_product.serve_ring(similarity, elements, weights.shape[1], weights.dtype)
    if spread or several():
        similarity, elements = _canonical(similarity, elements)
    rows: Array
    table = np.asarray(weights)
    if spread:  # every process has all weights
        sharding = NamedSharding(line, PartitionSpec(AXIS))
        rows = jax.make_array_from_callback(table.shape, sharding, lambda at: table[at])
    else:
        rows = _placed(table, line, np.zeros_like)
    each = len(rows) // mesh.size
    components = sum(math.prod(x.shape[1:]) for x in leaves)
    most = gpu_product.ring_block(each, components) if by_kernel else _largest(mesh)
    blocks = -(-each // min(each, tile or most))
    sums, _ = ring_product(similarity, elements, rows.T, line, -(-each // blocks), by_kernel)
    return sums.T if spread else jnp.asarray(own_rows(sums.T)[: len(table)])


def _arrays(similarity: TiledSimilarity, elements: Any) -> Any:
    """Elements, those of each factor of a product, as arrays; those that are sharded stay."""
    if isinstance(similarity, Product) and isinstance(elements, tuple):
        return tuple(x if is_spread(x) else array("elements", x) for x in elements)
    return elements if is_spread(elements) else array("elements", elements)


def _of_elements(leaves: list[Any], weights: Any, mesh: Mesh, spread: bool) -> dict[str, Any]:
    """What processes have to agree about, of elements and weights.

    Raises:
        ValueError: If elements are numbers in this process alone, such as names.
    """
    for x in leaves:
        if not (x.dtype == bool or jnp.issubdtype(x.dtype, jnp.number)):
            raise ValueError(
                f"elements have dtype {x.dtype}: give numbers, the same in all processes"
            )
        check_width("elements", x)
    ids = np.array([device.id for device in mesh.devices.flat]).data
    agreed: dict[str, Any] = {
        "elements": len(leaves[0]),
        "distributions": weights.shape[1],
        "the shape of an element": ", ".join(str(x.shape[1:]) for x in leaves),
        "the dtype of elements": ", ".join(str(x.dtype) for x in leaves),
        "the dtype of weights": str(weights.dtype),
        "the mesh": f"one of shape {mesh.devices.shape} and checksum {zlib.crc32(ids)}",
        "the kernel for GPUs": "it" if gpu.available() else "none",
        "where elements lie": "shards" if spread else "arrays on the host",
    }
    if spread:  # every process has all weights
        agreed["weights"] = f"those of checksum {zlib.crc32(np.ascontiguousarray(weights).data)}"
    return agreed


def own_rows(sharded: Array) -> Num[np.ndarray, "m k"]:
    """Those rows of a sharded array that lie in this process."""
    starts = {shard.index[0].start or 0: shard.data for shard in sharded.addressable_shards}
    return np.concatenate([np.asarray(starts[start]) for start in sorted(starts)])


def _largest(mesh: Mesh) -> int:
    sizes = LARGEST_TILES["similarities"]
    return sizes.get(mesh.devices.flat[0].platform, sizes["other"])


def _placed(rows: np.ndarray, line: Mesh, last: Any = np.asarray) -> Array:
    """A process's own rows over its devices, each as many: the last row is repeated for that."""
    here = sum(device.process_index == jax.process_index() for device in line.devices.flat)
    each = -(-len(rows) // here)
    more = each * here - len(rows)
    if more:
        rows = np.concatenate([rows, np.repeat(last(rows[-1:]), more, axis=0)])
    sharding = NamedSharding(line, PartitionSpec(AXIS))
    shape = (each * line.size, *rows.shape[1:])
    return jax.make_array_from_process_local_data(sharding, rows, shape)


def _canonical(similarity: TiledSimilarity, elements: Any) -> tuple[TiledSimilarity, Any]:
    """The canonical form of sharded elements, which stay where they are."""

    @jax.jit
    def form(elements: Any) -> tuple[Any, Any, Array]:
        finite = [jnp.isfinite(x).all() for x in jax.tree.leaves(elements)]
        return *similarity.canonical(elements, None)[:2], jnp.stack(finite).all()

    found, elements, finite = form(elements)
    if not finite:
        raise ValueError("elements hold NaN or infinity: remove it")
    return found, elements
