"""Ordinariness Z p without Z: its checks, and the one choice of path."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh
from jaxtyping import Float

from lcrjax.numerics.inputs import numbers, rounded
from lcrjax.numerics.meshes import is_spread
from lcrjax.numerics.processes import check_process
from lcrjax.numerics.progress import bar
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.together import awaits_others, on_host, raised_in_all
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.devices import check_mesh, product_over_mesh
from lcrjax.pairwise.product import zp_of_canonical
from lcrjax.pairwise.streams import product_of_stream
from lcrjax.pairwise.tiling import check_tile
from lcrjax.similarity.base import (
    Similarity,
    TiledSimilarity,
    WeighsElements,
    count_elements,
    taken,
)
from lcrjax.similarity.distance_kernels import RMSD
from lcrjax.similarity.spec import as_similarity
from lcrjax.similarity.unnamed import check_numbers


def ordinariness(
    elements: Any,
    weights: Any,
    similarity: Any = None,
    *,
    others: Any = None,
    tile: int | None = None,
    mesh: Mesh | None = None,
    progress: bool = False,
) -> Float[Array, "n *k"]:
    r"""Compute $Z w$ without storing $Z$: $(Zw)_i = \sum_j Z_{ij} w_j$.

    Needs memory for its inputs, its outputs and a few tiles of Z. Works under jit and vmap, and
    has derivatives with respect to elements, weights and the similarity's parameters (finite also
    where elements coincide) that need no more memory: of reverse mode (`jax.grad`), of forward mode
    (`jax.jvp`), and of second order forward over reverse (`jax.hessian`). Those of reverse mode
    over reverse mode do not exist: jax transposes no loop whose length depends on its input.

    Args:
        elements: n elements, such as images (n, h, w, c) or vectors (n, d); of a product of
            similarities a tuple.
        weights: Weights of the others, (m, k) or (m,); for abundances the sum is one.
        similarity: None for RMSD, a `Similarity`, or a word as `parse_similarity` reads it.
        others: m elements to compare with; None for `elements`.
        tile: Largest side of a tile; None chooses by backend. It changes no digit that counts.
        mesh: Devices that share the work, of one process or of several: each holds a shard of the
            elements. Those that lie on them stay there. Others are spread over them, and each
            process gives a part of its own, as many in each. There are no derivatives.
        progress: Show a bar with the share of pairs that is done. It needs rich; on a GPU no share
            is known.

    Returns:
        (n, k), or (n,) for weights (m,); float32, or float64 where weights or elements are.

    Raises:
        ValueError: If shapes do not fit, elements are not what the similarity compares, or weights
            are not finite, or are numbers that the result's dtype cannot hold. If the mesh lacks
            the axis along which elements are sharded, others are given beside it, or processes
            disagree.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> images = np.array([[0, 0], [255, 255]], np.uint8)
        >>> print(np.round(lcrjax.ordinariness(images, [0.5, 0.5]), 4))
        [0.6839 0.6839]
    """
    if progress:
        arguments = {**locals(), "progress": False}
        with bar("comparing"):
            return ordinariness(**arguments)
    if mesh is not None and awaits_others():
        arguments = locals()
        with raised_in_all():
            return ordinariness(**arguments)
    given, over_mesh = RMSD() if similarity is None else similarity, mesh is not None
    if similarity is None and not (over_mesh and is_spread(elements)):
        check_numbers(elements)
    similarity, elements, others = as_similarity(given, elements, others, over_mesh=over_mesh)
    check_process()
    check_tile(tile)
    if mesh is not None:
        check_mesh(mesh, similarity, elements)
        if others is not None:
            raise ValueError("others are not compared over a mesh: leave out one of them")
    elements = taken(similarity, elements, over_mesh=over_mesh)
    others = None if others is None else taken(similarity, others, "others")
    weights = on_host(weights) if over_mesh and is_spread(weights) else weights
    weights = numbers("weights", weights)
    dtype = float_dtype(weights, *jax.tree.leaves((elements, others)))
    weights = jnp.asarray(rounded("weights", weights, dtype))
    m = count_elements(similarity, elements if others is None else others)
    if weights.ndim not in (1, 2) or len(weights) != m:
        raise ValueError(f"weights have shape {weights.shape}: give ({m},) or ({m}, k)")
    if m == 0 or count_elements(similarity, elements) == 0:
        raise ValueError("there are no elements: give one at least")
    # Reshaped, not indexed: outside of programs an index takes jax twice as long.
    table = weights.reshape(m, 1) if weights.ndim == 1 else weights
    out = zp(similarity, elements, table, others, tile=tile, mesh=mesh)
    return out.reshape(-1) if weights.ndim == 1 else out


def zp(
    similarity: Similarity,
    elements: Any,
    weights: Float[Array, "m k"],
    others: Any = None,
    *,
    tile: int | None = None,
    mesh: Mesh | None = None,
) -> Float[Array, "n k"]:
    """Compute Z w by the quickest way there is, for whoever has checked weights already.

    A similarity that weighs elements itself does so. Of the others a kernel in C serves arrays
    that lie on the host, a ring of devices those that have a mesh, streams go block by block, and a
    compiled program serves everything else.

    Args:
        similarity: Any.
        elements: n elements, as the similarity takes them; or a `Stream` of them.
        weights: One column for each distribution.
        others: m elements, or a stream; None for `elements`.
        tile: Largest side of a tile; None chooses by backend.
        mesh: Devices over which the elements are spread; see `product_over_mesh`.

    Returns:
        In the dtype of the weights.

    Raises:
        ValueError: If elements are not what the similarity compares.
    """
    if mesh is not None:
        assert isinstance(similarity, TiledSimilarity)  # as `check_mesh` says
        return product_over_mesh(similarity, elements, weights, mesh, tile=tile)
    if isinstance(elements, Stream) or isinstance(others, Stream):
        return jnp.asarray(product_of_stream(similarity, elements, np.asarray(weights), others))
    traced = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves((elements, others)))
    in_tiles = isinstance(similarity, TiledSimilarity)
    if isinstance(similarity, WeighsElements) and not (in_tiles and traced):
        return similarity.ordinariness(elements, weights, others)
    if not isinstance(similarity, TiledSimilarity):
        raise ValueError(
            f"a {type(similarity).__name__} cannot weigh elements: derive it from "
            "TiledSimilarity, or give it a method `ordinariness`"
        )
    return zp_of_canonical(*similarity.canonical(elements, others), weights, tile=tile)
