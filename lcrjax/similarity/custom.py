"""Similarities given by a function of two elements."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Shaped

from lcrjax.numerics.inputs import check_width, numbers, objects
from lcrjax.numerics.progress import bar, each
from lcrjax.similarity.base import Similarity, TiledSimilarity, check_diagonal
from lcrjax.similarity.checks import check_own


class Pointwise(TiledSimilarity):
    """Any jittable function of two elements, mapped over tiles.

    Attributes:
        function: `function(x, y)`, or `function(parameters, x, y)` where parameters are given,
            of two single elements (slices of an array along its first axis), that returns a
            scalar, 1 for two equal elements. The function is static: pass the same object again
            to use the compiled program again.
        parameters: A pytree that may be traced and differentiated.
        is_symmetric: Whether `function(x, y)` equals `function(y, x)`. If not, Z_ij is that of
            element i as x and element j as y.
    """

    function: Callable[..., Any] = dataclasses.field(metadata={"static": True})
    parameters: Any = None
    is_symmetric: bool = dataclasses.field(default=True, metadata={"static": True})

    @property
    def symmetric(self) -> bool:
        """Whether Z_ij = Z_ji."""
        return self.is_symmetric

    def canonical(self, elements: Any, others: Any) -> tuple["Pointwise", Any, Any]:
        """Take numbers as they are, whatever their shape; 64-bit integers if jax holds them.

        Raises:
            ValueError: If it does not, or one of some elements is not like itself.
        """
        given = [("elements", elements)] + ([] if others is None else [("others", others)])
        found = [numbers(what, x) for what, x in given]
        for (what, _), x in zip(given, found, strict=True):
            check_width(what, x)
        if others is None:
            check_diagonal(self, found[0])
        return self, found[0], None if others is None else found[1]

    def prepare(self, elements: Array) -> Array:
        """Nothing to prepare."""
        return elements

    def block(self, rows: Array, columns: Array) -> Shaped[Array, "a b"]:
        """The function of every row and every column."""

        def one(x: Any, y: Any) -> Array:
            given = (x, y) if self.parameters is None else (self.parameters, x, y)
            return jnp.asarray(self.function(*given))

        return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(rows, columns)


class PythonFunction(Similarity):
    """Any Python function of two objects, such as strings: slow, one call for every pair.

    Attributes:
        function: `function(x, y)`, at least 0, and 1 for two equal elements.
        is_symmetric: Whether `function(x, y)` equals `function(y, x)`, which saves half the calls.
        progress: Show a progress bar (with rich, if it is installed).
    """

    function: Callable[[Any, Any], float] = dataclasses.field(metadata={"static": True})
    is_symmetric: bool = dataclasses.field(default=True, metadata={"static": True})
    progress: bool = dataclasses.field(default=False, metadata={"static": True})

    def ordinariness(self, elements: Any, weights: Any, others: Any = None) -> Float[Array, "n k"]:
        """Z w, row by row.

        Raises:
            ValueError: If the function returns a negative number or NaN, or not one for an element
                and itself, naming the pair.
        """
        elements = objects("elements", elements)
        columns = elements if others is None else objects("others", others)
        half = others is None and self.is_symmetric
        w = np.asarray(weights, np.float64)
        sums = np.zeros((len(elements), w.shape[1]))
        with bar("similarities", shown=self.progress):
            for i in each(range(len(elements))):
                first = i if half else 0
                row = np.array([self._call(elements[i], columns[j], i, j, others is None)
                                for j in range(first, len(columns))])  # fmt: skip
                sums[i] += row @ w[first:]
                if half:
                    sums[i + 1 :] += row[1:, None] * w[i]
        return jnp.asarray(sums, jnp.asarray(weights).dtype)

    def _call(self, x: Any, y: Any, i: int, j: int, same: bool) -> float:
        z = float(self.function(x, y))
        if not 0 <= z < np.inf:
            raise ValueError(
                f"the similarity of elements {i} and {j} is {z:g}: "
                "similarities are finite and not negative"
            )
        if same and i == j:
            check_own([z], [i])
        return z
