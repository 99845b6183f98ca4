"""Elements and weights spread over the devices of a mesh, of one process or of several."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Float, Num

from lcrjax.numerics.processes import check_agreed
from lcrjax.pairwise import gpu_product
from lcrjax.pairwise.ring import AXIS, ring_product
from lcrjax.pairwise.tiling import LARGEST_TILES, check_tile
from lcrjax.similarity.base import Similarity, TiledSimilarity


def is_spread(x: Any) -> bool:
    """Whether an array of jax lies on several devices, a shard on each."""
    if not isinstance(x, jax.Array) or isinstance(x, jax.core.Tracer):
        return False
    return len(x.sharding.device_set) > 1 and not x.is_fully_replicated


def check_mesh(mesh: Any, similarity: Similarity, elements: Any) -> None:
    """Check that elements can be compared over a mesh.

    Raises:
        ValueError: If it is none, the elements are traced, or sharded along an axis that it lacks,
            or over other devices; or the similarity cannot be computed in tiles.
    """
    if not isinstance(mesh, Mesh) or not mesh.size:
        raise ValueError(f"mesh is {mesh!r}: give a jax.sharding.Mesh, as jax.make_mesh makes it")
    if not isinstance(similarity, TiledSimilarity):
        raise ValueError(
            f"a {type(similarity).__name__} is not computed in tiles: leave out the mesh"
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

    Returns:
        Sharded over the mesh, where the elements are; else a row for each that was given.

    Raises:
        ValueError: If `check_mesh` says so, elements that are sharded are no multiple of the
            devices or not finite, or processes disagree.
    """
    check_mesh(mesh, similarity, elements)
    check_tile(tile)
    line = Mesh(mesh.devices.reshape(-1), (AXIS,))
    leaves = jax.tree.leaves(elements)
    spread = any(map(is_spread, leaves))
    agreed = {"elements": len(leaves[0]), "distributions": weights.shape[1]}
    components = sum(math.prod(x.shape[1:]) for x in leaves)
    agreed["components of an element"] = components
    check_agreed(agreed | {"bytes of a component": sum(x.dtype.itemsize for x in leaves)})
    if spread:
        count = len(leaves[0])
        if count % mesh.size:
            raise ValueError(
                f"there are {count} sharded elements for {mesh.size} devices: give a multiple, or "
                "arrays on the host"
            )
        elements = jax.device_put(elements, NamedSharding(line, PartitionSpec(AXIS)))
    else:
        found = similarity.canonical(elements, None)  # checks them, whoever computes with it
        if jax.process_count() == 1:
            similarity, elements = found[0], found[1]
        count = len(jax.tree.leaves(elements)[0])
        elements = jax.tree.map(lambda x: _placed(np.asarray(x), line), elements)
    by_kernel = gpu_product.serve_ring(similarity, elements, weights.shape[1], weights.dtype)
    if spread or jax.process_count() > 1:
        similarity, elements = _canonical(similarity, elements)
    rows: Array
    table = np.asarray(weights)
    if spread:  # every process has all weights
        sharding = NamedSharding(line, PartitionSpec(AXIS))
        rows = jax.make_array_from_callback(table.shape, sharding, lambda at: table[at])
    else:
        rows = _placed(table, line, np.zeros_like)
    each = len(rows) // mesh.size
    most = gpu_product.ring_block(each, components) if by_kernel else _largest(mesh)
    blocks = -(-each // min(each, tile or most))
    sums, _ = ring_product(similarity, elements, rows.T, line, -(-each // blocks), by_kernel)
    return sums.T if spread else jnp.asarray(own_rows(sums.T)[:count])


def own_rows(array: Array) -> Num[np.ndarray, "m k"]:
    """Those rows of a sharded array that lie in this process."""
    starts = {shard.index[0].start or 0: shard.data for shard in array.addressable_shards}
    return np.concatenate([np.asarray(starts[start]) for start in sorted(starts)])


def _largest(mesh: Mesh) -> int:
    sizes = LARGEST_TILES["similarities"]
    return sizes.get(mesh.devices.flat[0].platform, sizes["other"])


def _placed(array: np.ndarray, line: Mesh, last: Any = np.asarray) -> Array:
    """A process's own rows over its devices, each as many: the last row is repeated for that."""
    here = sum(device.process_index == jax.process_index() for device in line.devices.flat)
    each = -(-len(array) // here)
    more = each * here - len(array)
    if more:
        array = np.concatenate([array, np.repeat(last(array[-1:]), more, axis=0)])
    sharding = NamedSharding(line, PartitionSpec(AXIS))
    shape = (each * line.size, *array.shape[1:])
    return jax.make_array_from_process_local_data(sharding, array, shape)


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
