"""Z w of prepared elements as a traced program: a kernel in C or tiles, and its derivative."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from lcrjax.native.interrupts import ready
from lcrjax.numerics.meshes import spread
from lcrjax.pairwise import native_product
from lcrjax.pairwise.derivatives import product_derivative
from lcrjax.pairwise.tile_loops import product_in_tiles
from lcrjax.pairwise.tiling import pad_elements, pad_prepared, padded_tiles, tile_side
from lcrjax.similarity.base import TiledSimilarity


def product(
    similarity: TiledSimilarity,
    elements: Any,
    weights: Float[Array, "m k"],
    others: Any,
    tile: int | None = None,
) -> Float[Array, "n k"]:
    """Compute Z w of canonical elements: padded to a size class, then in one compiled program."""
    similarity, elements, weights, others = spread((similarity, elements, weights, others))
    n, m = len(jax.tree.leaves(elements)[0]), len(weights)
    side = tile_side(max(n, m), tile)
    rows, columns = (padded_tiles(count, side) * side for count in (n, m))
    found = _jitted(
        similarity,
        pad_elements(elements, rows),
        None if others is None else pad_elements(others, columns),
        jnp.pad(weights, [(0, columns - m), (0, 0)]).T,
        (jnp.int32(n), jnp.int32(m)),
        side,
    )
    return (ready(found) if jax.default_backend() == "cpu" else found)[:, :n].T


def product_of_prepared(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Float[Array, "k m"],
    side: int,
) -> Float[Array, "k n"]:
    """Transposed Z w of prepared points, of any number: a pure function, to be traced.

    Args:
        similarity: The similarity that prepared the points.
        points: n prepared elements.
        others: m prepared elements, or None for `points`.
        weights: One row for each distribution.
        side: Side of a tile, static.

    Returns:
        In the dtype of the weights.
    """
    similarity, points, others, weights = spread((similarity, points, others, weights))
    n, m = len(jax.tree.leaves(points)[0]), weights.shape[1]
    counts = (jnp.int32(n), jnp.int32(m))
    sizes = [-(-count // side) * side for count in (n, m)]
    others = None if others is None else pad_prepared(others, sizes[1])
    weights = jnp.pad(weights, [(0, 0), (0, sizes[1] - m)])
    points = pad_prepared(points, sizes[0])
    return _product(similarity, points, others, weights, counts, side)[:, :n]


@partial(jax.jit, static_argnums=5)
def _jitted(
    similarity: TiledSimilarity,
    elements: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> Array:
    points, columns = similarity.prepare_both(elements, others)
    found = _product(similarity, points, columns, weights, counts, side)
    # Times one: XLA takes a program without arithmetic for a trifle, and runs it in the thread that
    # calls it, which hears no Ctrl-C meanwhile.
    return found * jnp.minimum(counts[0], 1).astype(found.dtype)


@partial(jax.custom_jvp, nondiff_argnums=(5,))
def _product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> Array:
    """Transposed Z w of padded points, (k, n); `others` None for the points themselves."""
    given = (similarity, points, others, weights, counts)
    if not native_product.serve(similarity, points, weights):
        return product_in_tiles(*given, side)
    return jax.lax.platform_dependent(
        *given, cpu=native_product.traced_product, default=partial(product_in_tiles, side=side)
    )


@_product.defjvp
def _derivative(side: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    return _product(*primals, side), product_derivative(side, primals, tangents)
