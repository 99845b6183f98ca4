"""The 27 features of one subset, as a pure function: for jit, and for vmap over subsets."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.measures.family import Family, Members, family_of
from lcrjax.numerics.arrays import namespace
from lcrjax.numerics.groupings import AnyArray, Classes, Grouping, Runs
from lcrjax.pairwise.product import product_of_prepared
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import TiledSimilarity
from lcrjax.study.columns import FEATURES

#: Viewpoints, and how the columns call them.
ORDERS = {"0": 0.0, "1": 1.0, "inf": np.inf}


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


def feature_columns(
    family: Family, classes: Grouping, size: float
) -> dict[str, Float[AnyArray, " B"]]:
    """Choose the columns out of the family of B subsets.

    Args:
        family: At the viewpoints of `ORDERS`.
        classes: Which of the family's classes belong to which subset.
        size: Number of elements of each subset.
    """
    columns = {}
    for measure, letter in {"alpha": "A", "normalized_rho": "R", "gamma": "G"}.items():
        short, levels = measure.removeprefix("normalized_"), family.class_level[measure]
        xp = namespace(levels)
        absent = xp.isnan(levels)  # a class that the subset lacks
        least = classes.least(xp.where(absent, xp.inf, levels))
        largest = classes.largest(xp.where(absent, -xp.inf, levels))
        for i, q in enumerate(ORDERS):
            columns[f"{letter}_{q}"] = family.dataset_level[measure][i]
            columns[f"min_{short}_{q}"], columns[f"max_{short}_{q}"] = least[i], largest[i]
    for i, q in enumerate(ORDERS):
        columns[f"CB_{q}"] = family.class_balance[i]
    columns["size"] = xp.full_like(columns["CB_0"], size)
    return {name: columns[name] for name in FEATURES}
