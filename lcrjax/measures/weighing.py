"""Ordinariness of counted elements, and the check of what a similarity has returned."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity
from lcrjax.similarity.base import KnowsElements, count_elements, taken
from lcrjax.similarity.spec import as_similarity


def weigh_counted(
    similarity: Any, abundances: Float[Array, "S C"], names: tuple[Any, ...] | None, elements: Any
) -> Float[Array, "S C"]:
    """Ordinariness of elements that are counted in a table.

    Args:
        similarity: None for the identity, a matrix (S, S), a `Similarity`, or a word for one.
        abundances: One row for each element.
        names: Those of the rows, if they have any.
        elements: What the similarity compares, where it is no matrix.

    Raises:
        ValueError: If the similarity and the elements do not fit the table.
    """
    count, given = len(abundances), Identity() if similarity is None else similarity
    relation, elements, _ = as_similarity(given, elements)
    if isinstance(relation, KnowsElements):
        relation.check(count, names)
    elif not isinstance(relation, Identity) and elements is None:
        raise ValueError(
            f"a {type(relation).__name__} compares elements: give them as elements=..., "
            "one for each row of the counts"
        )
    elements = None if elements is None else taken(relation, elements)
    given = count if elements is None else count_elements(relation, elements)
    if given != count:
        raise ValueError(f"there are {given} elements but {count} rows of counts: give one each")
    return zp(relation, abundances if elements is None else elements, abundances)


def check_ordinariness(
    weighed: Any, weights: Any, names: tuple[str, ...], places: Any = None
) -> None:
    """Refuse what a similarity that returns NaN or negative numbers leaves, unless traced.

    Args:
        weighed: Ordinariness, (S, C).
        weights: Abundances of the elements, (S, C).
        names: C names of classes.
        places: What the elements are called; None for their numbers.

    Raises:
        ValueError: If it is negative or not finite, or zero for an element that is there.
    """
    if not at_hand(weighed, weights):
        return
    found, given = np.asarray(weighed), np.asarray(weights)
    present = given >= jnp.finfo(given.dtype).tiny
    bad = np.argwhere(~(found >= 0) | np.isinf(found) | (present & (found == 0)))
    if len(bad):
        i, j = bad[0]
        place = i if places is None else places[i]
        raise ValueError(
            f"the similarities of element {place} to class {names[j]!r} add up to {found[i, j]:g}: "
            "similarities are finite and not negative, and that of an element to itself is one"
        )
