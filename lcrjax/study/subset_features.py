"""The 27 features of one subset, as a pure function: for jit, and for vmap over subsets."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from lcrjax.measures.family import Members, family_of
from lcrjax.numerics.groupings import Classes, Runs
from lcrjax.pairwise.product import product_of_prepared
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import TiledSimilarity
from lcrjax.study.columns import ORDERS, feature_columns


def subset_features(
    similarity: TiledSimilarity,
    elements: Any,
    labels: Int[Array, " N"],
    subset: Int[Array, " n"],
    n_classes: int,
) -> dict[str, Float[Array, ""]]:
    """Measure one subset: from its elements to ordinariness, to the family, to the columns.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: All N elements of the dataset.
        labels: Their classes, in 0..n_classes-1.
        subset: Places of the subset's elements.
        n_classes: Static. Classes that the subset lacks do not count.

    Returns:
        A number for each name in `lcrjax.study.columns.FEATURES`, float32.

    References:
        Paper, section III-E.
    """
    n, classes = len(subset), labels[subset]
    own_elements = jax.tree.map(lambda x: x[subset], elements)
    points, _ = similarity.prepare_both(own_elements, None)
    weights = jax.nn.one_hot(classes, n_classes, axis=0, dtype=jnp.float32) / n
    side = tile_side(n, of="subsets")
    sums = product_of_prepared(similarity, points, None, weights, side)
    own = jnp.take_along_axis(sums, classes[None, :], axis=0)[0]
    q = jnp.asarray(list(ORDERS.values()), jnp.float32)
    datasets = Runs(1, n_classes)
    groups = Classes(classes, n_classes)
    members = Members(jnp.ones_like(own), own, jnp.sum(sums, axis=0), groups, datasets)
    columns = feature_columns(family_of(members, q), datasets, float(n))
    return {name: column.reshape(()) for name, column in columns.items()}
