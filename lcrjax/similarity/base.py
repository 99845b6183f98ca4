"""Similarities as such: pytrees that say how alike two elements are."""

import dataclasses
import re
import zlib
from abc import ABC, abstractmethod
from functools import reduce
from operator import mul
from typing import Any, Protocol, dataclass_transform, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import check_width, sequence
from lcrjax.numerics.meshes import is_spread
from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.numerics.streams import Stream
from lcrjax.similarity.checks import check_own, checked

_SAMPLE = 64  # elements that are compared with themselves before any long work


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class Similarity:
    """How alike two elements are: 0 nothing in common, 1 the same.

    A subclass becomes a frozen dataclass and a pytree as it is defined: its annotated attributes
    are its parameters, which may be traced and differentiated; a `dataclasses.field` with the
    metadata `{"static": True}` belongs to the structure instead (as in jax, methods `tree_flatten`
    and `tree_unflatten` say it otherwise). What can be computed for a tile
    of pairs derives from `TiledSimilarity`; anything else has a method `ordinariness`, as
    `WeighsElements` describes it.
    """

    def __init_subclass__(cls, *, eq: bool = True) -> None:
        super().__init_subclass__()
        dataclasses.dataclass(frozen=True, eq=eq)(cls)
        if hasattr(cls, "tree_flatten"):
            jax.tree_util.register_pytree_node_class(cls)
        else:
            register_dataclass(cls)


@runtime_checkable
class WeighsElements(Protocol):
    """A similarity that weighs elements itself, in another way than tile by tile."""

    def ordinariness(
        self, elements: Any, weights: Float[Array, "m k"], others: Any = None
    ) -> Float[Array, "n k"]:
        """Weighted sums of the similarities of each element to all others: $Z w$.

        Args:
            elements: n elements, in the form that the similarity takes.
            weights: One row for each of `others`, one column for each distribution.
            others: m elements; None for `elements` themselves.

        Returns:
            $Z w$, in the dtype of the weights.
        """


@runtime_checkable
class KnowsElements(Protocol):
    """A similarity of its own elements, which nobody has to give."""

    def check(self, count: int, names: tuple[Any, ...] | None) -> None:
        """Compare with counts.

        Raises:
            ValueError: If these are of other elements: of another number, or named otherwise.
        """


class TiledSimilarity(Similarity, ABC):
    """A similarity of arrays, of which any tile of pairs can be computed: two methods say all.

    Examples:
        >>> import jax.numpy as jnp
        >>> import lcrjax
        >>> class Tanimoto(lcrjax.TiledSimilarity):
        ...     'Common bits of all bits that either has.'
        ...     def prepare(self, elements):
        ...         return elements.astype(jnp.float32)
        ...     def block(self, rows, columns):
        ...         common = rows @ columns.T
        ...         either = rows.sum(1)[:, None] + columns.sum(1)[None, :] - common
        ...         return common / either
        >>> bits = jnp.array([[1, 1, 0], [0, 1, 1]])
        >>> print(lcrjax.ordinariness(bits, [0.5, 0.5], Tanimoto()))
        [0.6666667 0.6666667]
    """

    @abstractmethod
    def prepare(self, elements: Array) -> Any:
        """Turn elements into a pytree of arrays whose first axis counts elements.

        What is done here is done once, not once per tile; it is traced.
        """

    @abstractmethod
    def block(self, rows: Any, columns: Any) -> Float[Array, "a b"]:
        """Similarities of a elements with b others, both slices of what `prepare` returned."""

    @property
    def symmetric(self) -> bool:
        """Whether Z_ij = Z_ji, which saves half of the work."""
        return True

    def canonical(self, elements: Any, others: Any) -> tuple["TiledSimilarity", Any, Any]:
        """Check elements on the host and choose their most compact exact form.

        Returns:
            The similarity of that form, the elements and the others. Traced arrays stay.

        Raises:
            ValueError: If the elements have a shape or dtype that the similarity does not take, or
                some of them are not like themselves.
        """
        elements, others = checked(elements, others)
        for what, given in (("elements", elements), ("others", others)):
            if given is not None:
                check_width(what, given)
        if others is None:
            check_diagonal(self, elements)
        return self, elements, others

    def prepare_both(self, elements: Any, others: Any) -> tuple[Any, Any]:
        """Prepare both sets, where one needs to know of the other; None where `others` is None.

        What all elements have in common, and no derivative needs, is a
        `lcrjax.numerics.pytrees.Shared`.
        """
        return self.prepare(elements), None if others is None else self.prepare(others)

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """Similarities of a tile, for those whose `block` needs to know more of it.

        Args:
            rows: Slice of the prepared elements.
            columns: Slice of the prepared others.
            same: Whether rows and columns are the same elements (a tile on the diagonal).
            dtype: Float dtype of the result.
        """
        return self.block(rows, columns).astype(dtype)

    def smooth_tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """`tile` in a form that can be differentiated; the same unless a class says otherwise."""
        return self.tile(rows, columns, same, dtype)

    def native_form(self, dimension: int, of_bytes: bool) -> tuple[str, Any] | None:
        """Name what is a function of squared distances or angles, so that kernels in C compute it.

        Args:
            dimension: Components of a prepared element.
            of_bytes: Whether they are bytes, in units of 1.

        Returns:
            "exponential", "gaussian", "matern32" or "matern52", and the rate in its exponential:
            of the distance d of prepared elements in `exp(-rate d)` and, with a = rate d, in
            `(1 + a) exp(-a)` and `(1 + a + a²/3) exp(-a)`; of its square in `exp(-rate d²)`. Or
            "cosine" or "linear", and any number. None for anything else.
        """
        return None

    def __mul__(self, other: "TiledSimilarity") -> "Product":
        """Alike in both respects: the product of the two similarities."""
        if not isinstance(other, TiledSimilarity):
            return NotImplemented
        return Product((*_factors(self), *_factors(other)))


class Product(TiledSimilarity):
    r"""Product of similarities, $Z_{ij} = \prod_f Z^f_{ij}$, such as `RMSD() * SameClass()`.

    Elements are a tuple with those of each factor, such as `(images, labels)`, or one array for
    all factors.

    Attributes:
        factors: At least one similarity that is computed in tiles.
    """

    factors: tuple[TiledSimilarity, ...]

    @property
    def symmetric(self) -> bool:
        """Whether all factors are."""
        return all(factor.symmetric for factor in self.factors)

    def canonical(self, elements: Any, others: Any) -> tuple["Product", Any, Any]:
        """Let each factor check and choose the form of its own elements."""
        own, its = self._for_each(elements), self._for_each(others)
        found = [f.canonical(x, y) for f, x, y in zip(self.factors, own, its, strict=True)]
        factors, own, its = (tuple(parts) for parts in zip(*found, strict=True))
        sizes = {len(jax.tree.leaves(x)[0]) for x in own}
        if len(sizes) > 1:
            raise ValueError(f"the factors have {sorted(sizes)} elements: give as many for each")
        return Product(factors), own, None if others is None else its

    def prepare(self, elements: Any) -> Any:
        """The elements of each factor."""
        return self.prepare_both(elements, None)[0]

    def prepare_both(self, elements: Any, others: Any) -> tuple[Any, Any]:
        """Those of both sets."""
        own, its = self._for_each(elements), self._for_each(others)
        found = [f.prepare_both(x, y) for f, x, y in zip(self.factors, own, its, strict=True)]
        rows, columns = (tuple(parts) for parts in zip(*found, strict=True))
        return rows, None if others is None else columns

    def block(self, rows: Any, columns: Any) -> Float[Array, "a b"]:
        """The product of the factors' similarities."""
        parts = zip(self.factors, rows, columns, strict=True)
        return reduce(mul, (f.block(x, y) for f, x, y in parts))

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """The product of the factors' tiles."""
        parts = zip(self.factors, rows, columns, strict=True)
        return reduce(mul, (f.tile(x, y, same, dtype) for f, x, y in parts))

    def smooth_tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Array:
        """The product of the factors' smooth tiles."""
        parts = zip(self.factors, rows, columns, strict=True)
        return reduce(mul, (f.smooth_tile(x, y, same, dtype) for f, x, y in parts))

    def _for_each(self, elements: Any) -> tuple[Any, ...]:
        if not isinstance(elements, tuple):
            return (elements,) * len(self.factors)
        if len(elements) != len(self.factors):
            raise ValueError(
                f"{len(elements)} sets of elements for {len(self.factors)} similarities: "
                "give a tuple with one for each factor, or one array for all"
            )
        return elements


def in_words(similarity: Similarity) -> dict[str, str]:
    """What tells one similarity from another, the same in every process: structure and numbers."""
    leaves, structure = jax.tree.flatten(similarity)
    numbers = zlib.crc32(b"".join(np.asarray(x).tobytes() for x in leaves))
    said, form = (re.sub(" at 0x[0-9a-f]+", "", str(x)) for x in (similarity, structure))
    return {"similarity": said, "form of the similarity": f"{form} {numbers}"}


def check_diagonal(similarity: TiledSimilarity, elements: Any) -> None:
    """Compare some elements, spread over all, with themselves, unless something is traced.

    Raises:
        ValueError: If the similarity of one of them to itself is not one.
    """
    if at_hand(elements, *jax.tree.leaves(similarity)):
        step = -(-len(elements) // _SAMPLE) or 1
        own = np.asarray(
            _diagonal(similarity, jnp.asarray(np.asarray(elements)[::step])), np.float64
        )
        check_own(own, range(0, len(elements), step), close=1e-3)


@jax.jit
def _diagonal(similarity: TiledSimilarity, elements: Any) -> Array:
    points = similarity.prepare(elements)
    return jnp.diagonal(similarity.block(points, points))


def _factors(similarity: TiledSimilarity) -> tuple[TiledSimilarity, ...]:
    return similarity.factors if isinstance(similarity, Product) else (similarity,)


def count_elements(similarity: Similarity, elements: Any) -> int:
    """Number of elements: of an array, a sequence, a product's tuple of them, or named parts."""
    parts = _in_parts(similarity, elements) or hasattr(elements, "_fields")
    return len(elements[0] if parts else elements)


def part_of(similarity: Similarity, elements: Any, index: Int[np.ndarray, " m"]) -> Any:
    """Some of the elements that `taken` has returned, in any order."""
    if isinstance(elements, Stream):
        return elements.take(index)
    if _in_parts(similarity, elements):
        return tuple(part_of(similarity, part, index) for part in elements)
    return pick(list(elements) if isinstance(elements, tuple) else elements, index)


def pick(elements: Any, index: np.ndarray) -> Any:
    """Some elements by their places: of an array, a list, a table, or a product's tuple of them."""
    if isinstance(elements, tuple):
        parts = [pick(part, index) for part in elements]
        return type(elements)(*parts) if hasattr(elements, "_fields") else tuple(parts)
    if isinstance(elements, list):
        return [elements[i] for i in index]
    return elements.iloc[index] if hasattr(elements, "iloc") else elements[index]


def taken(
    similarity: Similarity, elements: Any, what: str = "elements", *, over_mesh: bool = False
) -> Any:
    """Bring elements, those of each factor of a product, into arrays; lists of them stay.

    Where they are compared over a mesh, arrays that are sharded stay, too.

    Raises:
        ValueError: If they are nothing that holds elements, or some are missing.
    """
    if isinstance(similarity, Product) and _in_parts(similarity, elements):
        pairs = zip(similarity.factors, similarity._for_each(elements), strict=True)
        return tuple(taken(factor, part, what, over_mesh=over_mesh) for factor, part in pairs)
    if over_mesh and is_spread(elements):
        return elements
    own = getattr(similarity, "take", None)
    return sequence(what, elements) if own is None else own(elements, what)


def _in_parts(similarity: Similarity, elements: Any) -> bool:
    return isinstance(similarity, Product) and isinstance(elements, tuple) and bool(elements)
