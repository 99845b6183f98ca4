"""Z w over the devices of a mesh: each holds a shard, and blocks of the shards go round a ring.

A block is a tile of elements. It starts at home, meets the tiles of the shard there, and goes on
to the next device while it is being compared; the sums of its elements travel with it and are sent
home in the end. Where Z is symmetric it goes half way round, since a tile serves rows and columns:
each pair is computed once. For an even number of devices two shards meet on both of their devices
at the last step, and share the work: the former takes even blocks, the latter odd tiles of its own.

A pair of tiles is compared in memory, or on GPUs by the kernel, in registers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Float, Int

from lcrjax.pairwise import gpu_product
from lcrjax.pairwise.tile_loops import add_at_place, weigh
from lcrjax.similarity.base import TiledSimilarity

AXIS = "elements"
_SAMPLE = 16  # elements of each device that all devices know: the centre is theirs
#: How elements and weights of a tile are prepared; and what two such tiles add to the sums of
#: either, (k, side), where the third says whether they are the same.
Comparison = tuple[Callable[[Any, Array], Any], Callable[[Any, Any, Array], tuple[Array, Array]]]


@partial(jax.jit, static_argnames=("mesh", "side", "by_kernel"))
def ring_product(
    similarity: TiledSimilarity,
    elements: Any,
    weights: Float[Array, "k n"],
    mesh: Mesh,
    side: int,
    by_kernel: bool = False,
) -> tuple[Float[Array, "k n"], Int[Array, " devices"]]:
    """Compute transposed Z w of canonical elements, sharded over the one axis of a mesh.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: n elements, n a multiple of the number of devices.
        weights: One row for each distribution; zero where an element is padding.
        mesh: Of the axis `AXIS` alone.
        side: Side of a tile, at most the elements of a device.
        by_kernel: Whether the kernel for GPUs compares them; see `gpu_product.serve_ring`.

    Returns:
        In the dtype of the weights, sharded alike; and how many tiles each device computed.
    """
    along, across = PartitionSpec(AXIS), PartitionSpec(None, AXIS)
    specs = (PartitionSpec(), along, across)
    device = partial(_on_device, devices=mesh.size, side=side, by_kernel=by_kernel)
    return jax.shard_map(
        device, mesh=mesh, in_specs=specs, out_specs=(across, along), check_vma=False
    )(similarity, elements, weights)


def _on_device(
    similarity: TiledSimilarity,
    own: Any,
    weights: Array,
    *,
    devices: int,
    side: int,
    by_kernel: bool,
) -> tuple[Array, Array]:
    k, m = weights.shape
    blocks, me, half = -(-m // side), lax.axis_index(AXIS), similarity.symmetric
    steps = devices // 2 if half else devices - 1
    if by_kernel:
        prepare, compare = gpu_product.ring_comparison(similarity, own, side)
    else:
        prepare, compare = _in_tiles(similarity, own, weights.dtype)

    def start(i: Array) -> Array:
        """The last tile begins early, and leaves out what others have."""
        return jnp.minimum(i * side, m - side)

    def tile(i: Array) -> tuple[Any, Array, Array]:
        """Elements, their weights, and whether they are this tile's."""
        part = jax.tree.map(lambda x: lax.dynamic_slice_in_dim(x, start(i), side), own)
        mine = (start(i) + jnp.arange(side, dtype=i.dtype) >= i * side).astype(weights.dtype)
        return part, lax.dynamic_slice_in_dim(weights, start(i), side, 1) * mine[None], mine

    def passed(tree: Any, by: int = 1) -> Any:
        if not by % devices:
            return tree
        return lax.ppermute(tree, AXIS, [(i, (i + by) % devices) for i in range(devices)])

    def meet(state: Any, block: Any, down: Array, c: Array, step: Array) -> Any:
        """Compare block c of the shard `step` devices before with the tiles here that it is for."""
        theirs, its_weights, its_mine = block
        column = prepare(theirs, its_weights)
        shared = half and devices % 2 == 0
        both = (step == devices // 2) & (step > 0) if shared else jnp.bool_(False)
        former = me < devices // 2
        first = jnp.where(both & ~former, 1, 0)
        stride = jnp.where(both & ~former, 2, 1)
        end = jnp.where(step > 0, blocks, c + 1) if half else blocks
        end = jnp.where(both & former & (c % 2 == 1), 0, end)

        def row(t: Array, state: Any) -> Any:
            sums, down, count = state
            r = first + t * stride
            ours, our_weights, our_mine = tile(r)
            itself = (step == 0) & (r == c)
            across, along = compare(prepare(ours, our_weights), column, itself)
            sums = add_at_place(sums, start(r), across * our_mine[None])
            if half:
                part = jnp.where(itself, 0, along * its_mine[None])
                down = add_at_place(down, jnp.int32(0), part)
            return sums, down, count + 1

        return lax.fori_loop(
            0, (end - first + stride - 1) // stride, row, (state[0], down, state[1])
        )

    def block(c: Array, state: Any) -> Any:
        def onward(step: Array, state: Any) -> Any:
            here, sums, down, count = state
            coming = passed(here)  # before the work that hides it
            return (coming, *meet((sums, count), here, passed(down), c, step))

        down = jnp.zeros((2, k, side), weights.dtype)
        _, sums, down, count = lax.fori_loop(
            0, steps + 1, onward, (tile(c), state[0], down, state[1])
        )
        if half:
            home = passed(down, -steps)
            sums = add_at_place(add_at_place(sums, start(c), home[0]), start(c), home[1])
        return sums, count

    nothing = jnp.zeros((2, k, m), weights.dtype), jnp.int32(0)
    sums, count = lax.fori_loop(0, blocks, block, nothing)
    return jnp.sum(sums, axis=0), count[None]


def _in_tiles(similarity: TiledSimilarity, own: Any, dtype: Any) -> Comparison:
    """Compare tiles about a centre that all devices know."""
    known = jax.tree.map(lambda x: lax.all_gather(x[:_SAMPLE], AXIS, tiled=True), own)

    def prepare(part: Any, weights: Array) -> tuple[Any, Array]:
        return similarity.prepare_both(known, part)[1], weights

    def compare(rows: Any, columns: Any, itself: Array) -> tuple[Array, Array]:
        (here, own_weights), (there, its_weights) = rows, columns
        z = similarity.tile(here, there, itself, dtype)
        return weigh(its_weights, z), jnp.matmul(own_weights, z, precision=lax.Precision.HIGHEST)

    return prepare, compare
