"""What each element adds to the diversity of a labelled dataset."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.measures.labels import numbered, shared
from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.product import zp_of_canonical
from lcrjax.pairwise.removals import (
    Items,
    log_changes,
    power_rises,
    similarity_blocks,
    tiled_rows,
)
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import RMSD, Similarity
from lcrjax.similarity.base import (
    KnowsElements,
    TiledSimilarity,
    WeighsElements,
    count_elements,
    taken,
)
from lcrjax.similarity.spec import as_similarity
from lcrjax.similarity.unnamed import check_images

_CHANGES = ("removal", "abundance")
_STEEP = 9.0  # viewpoint beyond which few items are the whole mean


def contributions(
    elements: Any,
    labels: Any = None,
    *,
    measure: str = "A_1",
    similarity: Any = None,
    change: str = "removal",
) -> Float[Array, " n"]:
    r"""Compute what each element adds to the diversity of a dataset: leave-one-out, exactly.

    The contribution of an element is the measure of the dataset minus the measure of the dataset
    without it. Without the only element of a class the class is gone too. A near-duplicate adds
    little, or takes away; what is unlike all others adds most.

    All pairs are looked at twice, of A those within classes alone: so that of several classes takes
    less time than `lcrjax.measure`, and G and R take a few times as much. Z is not stored.

    Args:
        elements: n >= 2 elements, such as images (n, h, w, c), as `lcrjax.measure` takes them.
        labels: Their classes, one each; None for a single class.
        measure: "A", "R" or "G" (alpha, normalized_rho, gamma of the dataset), an underscore and
            the viewpoint q: "A_1", "G_0", "R_inf", "A_0.5".
        similarity: None for RMSD, or as `lcrjax.measure` takes it.
        change: "removal", or "abundance" for the derivative of the measure with respect to the
            number of times that the element occurs, which is 1: what a small part of a copy would
            add. These derivatives sum to zero.

    Returns:
        One number for each element; their differences do not suffer from being small against the
        measure.

    Raises:
        ValueError: If there are fewer than two elements, they are traced, do not fit labels or the
            similarity, have several labels each, or there is no such measure or change; or, for
            "abundance", if a similarity in tiles is not symmetric.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.selection import contributions
        >>> images = np.zeros((4, 8, 8), np.uint8)
        >>> images[3] = 255
        >>> print(contributions(images, ["a", "a", "b", "b"], measure="A_1").round(3))
        [-0.016 -0.016  0.528  0.528]
    """
    letter, q = _parsed(measure)
    if change not in _CHANGES:
        raise ValueError(f"change is {change!r}: give {' or '.join(map(repr, _CHANGES))}")
    if not at_hand(*jax.tree.leaves((elements, labels, similarity))):
        raise ValueError("elements are traced: call contributions outside of jit and grad")
    relation, elements, _ = as_similarity(RMSD() if similarity is None else similarity, elements)
    elements = taken(relation, elements)
    n = count_elements(relation, elements)
    if n < 2:
        raise ValueError(f"there are {n} elements: without one there must be one left")
    names, classes = _classes(labels, n)
    if len(classes) != n:
        raise ValueError(f"there are {n} elements and {len(classes)} labels: give one each")
    if isinstance(relation, KnowsElements):
        relation.check(n, None)
    if similarity is None:
        check_images(elements)
    dataset = _Dataset(relation, elements, classes, names)
    mean = _Mean(dataset, letter, q)
    logs = mean.by_abundance() if change == "abundance" else mean.by_removal()
    return jnp.asarray(np.exp(mean.log) * logs, dataset.dtype)


def _parsed(measure: str) -> tuple[str, float]:
    found = re.fullmatch(r"([ARG])_(inf|\d+\.?\d*(?:e-?\d+)?)", str(measure))
    if not found:
        raise ValueError(
            f"the measure is {measure!r}: give A, R or G, an underscore and a viewpoint, such as "
            "'A_1', 'G_0' or 'R_inf'"
        )
    return found[1], float(found[2])


def _classes(labels: Any, n: int) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
    if labels is None:
        return ("all",), np.zeros(n, np.int32)
    table = shared(labels)
    if table is None:
        return numbered(labels)
    names, shares = table
    if (shares < 1).any(where=shares > 0):
        raise ValueError("elements have several labels each: contributions are of one label each")
    return names, np.argmax(shares, axis=1).astype(np.int32)


class _Dataset:
    """Labelled elements, and sums of their similarities in float64."""

    def __init__(
        self,
        similarity: Similarity,
        elements: Any,
        classes: Int[np.ndarray, " n"],
        names: tuple[str, ...],
    ) -> None:
        self.dtype = float_dtype(*jax.tree.leaves(elements))
        self.classes, self.sizes, self._names = classes, np.bincount(classes), names
        self._weighs = isinstance(similarity, WeighsElements)
        self.similarity, self.elements = similarity, elements
        self._given = similarity, elements
        if isinstance(similarity, TiledSimilarity):
            self.similarity, self.elements, _ = similarity.canonical(elements, None)

    def over_all(self, weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Z w."""
        found = self._weigh(weights[:, None])
        check_ordinariness(found, weights[:, None], ("all",))
        return found[:, 0]

    def over_own(self, weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The same, with the own class alone; no other pairs are looked at where it can be so."""
        if self._weighs:
            member = self.classes[:, None] == np.arange(len(self.sizes))[None, :]
            table = self._weigh(member * weights[:, None])
            check_ordinariness(table, member * weights[:, None], self._names)
            return np.take_along_axis(table, self.classes[:, None], axis=1)[:, 0]
        assert isinstance(self.similarity, TiledSimilarity)
        found = np.empty(len(weights))
        for number, name in enumerate(self._names):
            (here,) = np.nonzero(self.classes == number)
            part = jax.tree.map(lambda x, here=here: x[here], self.elements)
            column = jnp.asarray(weights[here, None], self.dtype)
            sums = zp_of_canonical(self.similarity, part, None, column)
            check_ordinariness(sums, column, (name,))
            found[here] = np.asarray(sums, np.float64)[:, 0]
        return found

    def transposed(self, weights: Float[np.ndarray, " n"], own: bool) -> Float[np.ndarray, " n"]:
        """The transpose of Z, all of it or within classes, times weights."""
        if isinstance(self.similarity, TiledSimilarity):
            if not self.similarity.symmetric:
                raise ValueError(
                    f"{type(self.similarity).__name__} is not symmetric: derivatives need one that "
                    "is, change='removal' does not"
                )
            most = float(weights.max()) or 1.0  # in whose unit no weight is out of range
            found = self.over_own(weights / most) if own else self.over_all(weights / most)
            return most * found
        found = np.zeros(len(weights))
        for rows, columns, z in similarity_blocks(self.similarity, self.elements, len(weights)):
            alike = self.classes[rows, None] == self.classes[None, columns]
            found[columns] += weights[rows] @ (z * alike if own else z)
        return found

    def _weigh(self, table: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        weights = jnp.asarray(table, self.dtype)
        if self._weighs:
            return np.asarray(zp(*self._given, weights), np.float64)
        assert isinstance(self.similarity, TiledSimilarity)
        sums = zp_of_canonical(self.similarity, self.elements, None, weights)
        return np.asarray(sums, np.float64)


class _Mean:
    r"""A measure as a power mean of order r = 1 - q over elements of equal weight.

    A dataset's A, G and R are means of class values that are means over their members, of one
    order: means over all elements of 1 / (Z P_j), 1 / (Z p) and w_j (Z p) / (Z P_j), as logs x.
    """

    def __init__(self, dataset: _Dataset, letter: str, q: float) -> None:
        self._dataset, self._letter, self._r = dataset, letter, 1 - q
        n, one = len(dataset.classes), np.ones(len(dataset.classes))
        self._total = dataset.over_all(one) if letter != "A" else one
        self._own = dataset.over_own(one) if letter != "G" else one
        self._size = dataset.sizes[dataset.classes]
        share = np.log(self._size / n)
        self._x = {
            "A": np.log(n / self._own),
            "G": np.log(n / self._total),
            "R": np.log(self._total / self._own) + share,
        }[letter]
        self.log = float(_log_mean(self._r, self._x[:, None])[0])

    def by_abundance(self) -> Float[np.ndarray, " n"]:
        """Derivatives of the log."""
        n, r, d = len(self._x), self._r, self._dataset
        if np.isinf(r):
            part = (self._x == self._x.min()).astype(np.float64)
            found = np.zeros(n)
        else:
            part = np.exp(r * (self._x - self.log))
            found = (_raised(r, self._x - self.log)) / n
        part /= part.sum()
        if self._letter == "G":
            return found + 1 / n - d.transposed(part / self._total, own=False)
        by_own = d.transposed(part / self._own, own=True)
        if self._letter == "A":
            return found + 1 / n - by_own
        of_class = np.bincount(d.classes, part)[d.classes] / self._size
        by_all = d.transposed(part / self._total, own=False)
        return found - 1 / n + of_class + by_all - by_own

    def by_removal(self) -> Float[np.ndarray, " n"]:
        """Rise of the measure by each element, as a share of the measure."""
        n, r = len(self._x), self._r
        # Shares of the dataset, 1 / n of it each before, are 1 / (n - 1) after.
        rescaled = np.log1p(-1 / n) * (-1 if self._letter == "R" else 1)
        if r < 1 - _STEEP:
            return -np.expm1(self._steep() + rescaled - self.log)
        centre = self._x.mean()
        powers = np.exp(r * (self._x - centre))
        d = self._dataset
        rises = power_rises(self._letter, r, d.similarity, d.elements, self._items(powers), d.dtype)
        gaps = _raised(r, self._x - centre)
        change = n * (gaps.mean() - gaps + rises) / ((n - 1) * powers.sum())
        log_change = np.log1p(r * change) / r if abs(r) > 1e-20 else change
        return -np.expm1(log_change + rescaled)

    def _items(self, weight: Float[np.ndarray, " n"]) -> Items:
        with np.errstate(divide="ignore"):  # of a class of one, which nobody then asks for
            shrinking = np.log1p(-1 / self._size)
        labels = self._dataset.classes
        return Items(self._total, self._own, labels, np.maximum(shrinking, -1e30), weight)

    def _steep(self) -> Float[np.ndarray, " n"]:
        """Logs of the means after each removal, from the items that make up a mean of this order.

        Those are the least; where others are told apart from zero at all is known from how far a
        single removal may move an item.
        """
        n, r, d = len(self._x), self._r, self._dataset
        items = self._items(np.ones(n))
        least, most = self._bounds(items)
        place = np.arange(n)
        second = np.partition(most, 1)[1]
        margin = 0.0 if np.isinf(r) else (np.log(n) + 40) / -r
        (near,) = np.nonzero(least <= second + margin)
        found = np.full(n, np.inf if np.isinf(r) else -np.inf)

        def look(rows: Any, columns: Any, z: Float[np.ndarray, "a b"]) -> None:
            here = Items(*(x[rows] for x in items))
            with np.errstate(all="ignore"):  # of an element and itself, which is left out
                x = self._x[rows, None] + log_changes(self._letter, z, here, d.classes[columns])
            x[place[rows, None] == place[None, columns]] = np.inf
            if np.isinf(r):
                found[columns] = np.minimum(found[columns], x.min(axis=0))
            else:
                found[columns] = np.logaddexp(found[columns], np.logaddexp.reduce(r * x, axis=0))

        if isinstance(d.similarity, TiledSimilarity):
            for rows, z in tiled_rows(d.similarity, d.elements, near, d.dtype):
                look(rows, slice(None), z)
        else:
            for block in similarity_blocks(d.similarity, d.elements, n):
                look(*block)
        return found if np.isinf(r) else (found - np.log(n - 1)) / r

    def _bounds(self, items: Items) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Between what the log of each item lies once another element is removed."""
        with np.errstate(divide="ignore"):
            of_all, of_own = (
                np.log1p(-np.minimum(1, np.maximum(x - 1, 0)) / x) for x in (self._total, self._own)
            )
        nothing = np.zeros(len(self._x))
        down, up = {
            "A": (nothing, -of_own),
            "G": (nothing, -of_all),
            "R": (of_all + items.shrinking, -of_own),
        }[self._letter]
        return self._x + down, self._x + up


def _raised(r: float, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """`(exp(r x) - 1) / r`."""
    return np.expm1(r * x) / r if abs(r) > 1e-20 else x


def _log_mean(r: float, x: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " k"]:
    """Logs of the power means of columns of logs."""
    if np.isinf(r):
        return x.min(axis=0)
    if abs(r) <= 1e-20:
        return x.mean(axis=0)
    centre = x.mean(axis=0)
    if abs(r) <= 1:
        return centre + np.log1p(np.expm1(r * (x - centre)).mean(axis=0)) / r
    return (np.logaddexp.reduce(r * x, axis=0) - np.log(len(x))) / r
