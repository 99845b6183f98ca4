"""Z w of prepared elements as a traced program: a kernel in C or tiles, and its derivative."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.native.interrupts import ready
from lcrjax.numerics.meshes import spread
from lcrjax.pairwise import gpu_product, native_product
from lcrjax.pairwise.derivatives import product_derivative
from lcrjax.pairwise.factored import product_of_arrays
from lcrjax.pairwise.tile_loops import mutual_products, product_in_tiles
from lcrjax.pairwise.tiling import pad_elements, pad_prepared, padded_tiles, tile_side
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.cosine import Linear
from lcrjax.similarity.distances.squares import inner_products


def zp_of_canonical(
    similarity: TiledSimilarity,
    elements: Any,
    others: Any,
    weights: Float[Array, "m k"],
    *,
    tile: int | None = None,
) -> Float[Array, "n k"]:
    """Compute Z w of what a similarity's `canonical` returned, or of some of these elements alone.

    Inner products take two passes over the elements. Of the rest a kernel in C serves arrays that
    lie on the host, and a compiled program everything else.
    """
    by_factors = product_of_arrays(similarity, elements, weights, others)
    if by_factors is not None:
        return jnp.asarray(by_factors)
    if _on_host(similarity, elements, others, weights):
        found = native_product.sums_on_host(similarity, elements, np.asarray(weights), others)
        return jnp.asarray(found)
    return product(similarity, elements, weights, others, tile)


def products_of_two(
    similarity: TiledSimilarity,
    elements: Any,
    others: Any,
    weights: Float[np.ndarray, "n k"],
    its_weights: Float[np.ndarray, "m k"],
) -> tuple[Any, Any]:
    """Compare two sets of canonical elements, each pair once, for the sums of both.

    Args:
        similarity: A symmetric similarity, or any other, whose pairs are computed twice.
        elements: n elements on the host, n a multiple of `SPLIT`.
        others: m elements on the host.
        weights: Those of the elements.
        its_weights: Those of the others.

    Returns:
        Z w of the others' weights, (n, k), and of the elements' weights for the others, (m, k).
    """
    if not similarity.symmetric:
        found = zp_of_canonical(similarity, elements, others, jnp.asarray(its_weights))
        return found, zp_of_canonical(similarity, others, elements, jnp.asarray(weights))
    n, m = len(elements), len(others)
    if _on_host(similarity, elements, others, weights):
        both = np.concatenate([elements, others]), np.concatenate([weights, its_weights])
        sums = native_product.sums_on_host(similarity, *both, split=n)
        return sums[:n], sums[n:]
    side = tile_side(n)
    rows, columns = (padded_tiles(max(n, m), side) * side,) * 2  # the last set shares the program
    own, its = _jitted_for_two(
        similarity,
        pad_elements(elements, rows),
        pad_elements(others, columns),
        _in_rows(weights, rows),
        _in_rows(its_weights, columns),
        (np.int32(n), np.int32(m)),
        side,
        gpu_product.within_reach(similarity),
    )
    return _in_columns(own, n), _in_columns(its, m)


@partial(jax.jit, static_argnums=1)
def _in_rows(weights: Float[Array, "m k"], columns: int) -> Float[Array, "k columns"]:
    """Weights as tiles take them, padded by zeros."""
    return jnp.pad(weights, [(0, columns - len(weights)), (0, 0)]).T


@partial(jax.jit, static_argnums=1)
def _in_columns(sums: Float[Array, "k rows"], n: int) -> Float[Array, "n k"]:
    """And back."""
    return sums[:, :n].T


def _on_host(similarity: TiledSimilarity, elements: Any, others: Any, weights: Any) -> bool:
    """Whether a kernel in C computes Z w of these without a program."""
    at_hand = not isinstance(weights, jax.core.Tracer) and weights.dtype == jnp.float32
    few = 0 < weights.shape[1] <= native_product.MOST_COLUMNS
    return at_hand and few and native_product.serve_host(similarity, elements, others)


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
        _in_rows(weights, columns),
        (np.int32(n), np.int32(m)),
        side,
        gpu_product.within_reach(similarity),
    )
    return _in_columns(ready(found) if jax.default_backend() == "cpu" else found, n)


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


@partial(jax.jit, static_argnums=(6, 7))
def _jitted_for_two(
    similarity: TiledSimilarity,
    elements: Any,
    others: Any,
    weights: Array,
    its_weights: Array,
    counts: tuple[Array, Array],
    side: int,
    near: bool | None,
) -> tuple[Array, Array]:
    points, columns = similarity.prepare_both(elements, others)
    given = (similarity, points, columns, weights, its_weights, counts)
    in_tiles = partial(mutual_products, side=side)
    if near is False or not gpu_product.serve(similarity, points, its_weights):
        return in_tiles(*given)
    kernel = partial(gpu_product.traced_products_of_two, side=side, near=near)
    return jax.lax.platform_dependent(*given, cuda=kernel, default=in_tiles)


@partial(jax.jit, static_argnums=(5, 6))
def _jitted(
    similarity: TiledSimilarity,
    elements: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
    near: bool | None = None,
) -> Array:
    points, columns = similarity.prepare_both(elements, others)
    found = _product(similarity, points, columns, weights, counts, side, near)
    # Times one: XLA takes a program without arithmetic for a trifle, and runs it in the thread that
    # calls it, which hears no Ctrl-C meanwhile.
    return found * jnp.minimum(counts[0], 1).astype(found.dtype)


def _product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
    near: bool | None = None,
) -> Array:
    """Transposed Z w of padded points, (k, n).

    `others` is None for the points themselves, `near` what `gpu_product.within_reach` says.
    """
    if type(similarity) is not Linear:
        return _of_pairs(similarity, points, others, weights, counts, side, near)
    columns = points if others is None else others
    together = inner_products(weights.astype(columns.dtype), columns.T)
    return inner_products(together, points).astype(weights.dtype)


@partial(jax.custom_jvp, nondiff_argnums=(5, 6))
def _of_pairs(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
    near: bool | None,
) -> Array:
    given = (similarity, points, others, weights, counts)
    in_tiles = partial(product_in_tiles, side=side)
    kernels: dict[str, Any] = {}
    if native_product.serve(similarity, points, weights):
        kernels["cpu"] = native_product.traced_product
    if near is not False and gpu_product.serve(similarity, points, weights):
        kernels["cuda"] = partial(gpu_product.traced_product, side=side, near=near)
    if not kernels:
        return in_tiles(*given)
    return jax.lax.platform_dependent(*given, **kernels, default=in_tiles)


@_of_pairs.defjvp
def _derivative(side: int, near: bool | None, primals: Any, tangents: Any) -> tuple[Array, Array]:
    return _of_pairs(*primals, side, near), product_derivative(side, primals, tangents)
