"""Diversity of counts, and of labelled images: the public face of the LCR family."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from lcrjax.measures.counts import counts_array
from lcrjax.measures.family import MEASURES, Family, family, labelled_family
from lcrjax.measures.host_family import Members, host_family, members_of_labels, members_of_table
from lcrjax.measures.viewpoints import check_viewpoint, viewpoints
from lcrjax.numerics.power_means import power_mean
from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.numerics.segments import LogMeans, Segments
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import RMSD, Identity, Precomputed, Similarity
from lcrjax.similarity.precomputed import as_similarity

if TYPE_CHECKING:
    import pandas as pd

_family = jax.jit(family)
_labelled_family = jax.jit(labelled_family, static_argnames="n_classes")


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Diversity:
    """Every measure of the LCR family at several viewpoints, for classes and dataset; a pytree.

    `D.class_level["alpha"]` is an array (Q, C), `D.dataset_level["alpha"]` an array (Q,). There are
    nine measures: alpha, rho, beta, gamma, normalized_alpha, normalized_rho, normalized_beta,
    rho_hat and beta_hat. The letters of the paper: A is alpha, R is normalized_rho, G is gamma, B
    is normalized_beta.

    Attributes:
        q: Viewpoints, (Q,).
        class_level: Effective numbers of each class, by measure.
        dataset_level: Their power means over classes.
        class_entropy: Natural logs of `class_level`, computed as such.
        dataset_entropy: Natural logs of `dataset_level`.
        class_balance: Hill numbers of the class weights, (Q,), from 1 to C.
        class_names: C names.
    """

    q: Float[Array, " Q"]
    class_level: dict[str, Float[Array, "Q C"]]
    dataset_level: dict[str, Float[Array, " Q"]]
    class_entropy: dict[str, Float[Array, "Q C"]]
    dataset_entropy: dict[str, Float[Array, " Q"]]
    class_balance: Float[Array, " Q"]
    class_names: tuple[str, ...] = dataclasses.field(metadata={"static": True})

    def to_frame(self, *, entropy: bool = False) -> "pd.DataFrame":
        """Make a table with the columns level, q and the nine measures.

        Args:
            entropy: Give entropies (natural logs) in place of effective numbers.

        Returns:
            For each q a row whose level is "dataset", then one for each class, by its name.
        """
        import pandas as pd

        whole = self.dataset_entropy if entropy else self.dataset_level
        each = self.class_entropy if entropy else self.class_level
        rows = []
        for i, q in enumerate(np.asarray(self.q, np.float64)):
            rows.append({"level": "dataset", "q": q, **{m: float(whole[m][i]) for m in MEASURES}})
            for j, name in enumerate(self.class_names):
                values = {m: float(each[m][i, j]) for m in MEASURES}
                rows.append({"level": name, "q": q, **values})
        return pd.DataFrame(rows, columns=["level", "q", *MEASURES])

    def __repr__(self) -> str:
        """The dataset's A, R, B, G and class balance; whole arrays are too many to read."""
        count = len(self.class_names)
        title = f"Diversity of {count} class{'es' if count > 1 else ''}"
        leaves = jax.tree.leaves(self)
        concrete = all(isinstance(x, jax.Array | np.ndarray) for x in leaves) and _at_hand(*leaves)
        if not concrete or np.ndim(self.q) != 1:
            return f"<{title}>"
        import pandas as pd

        shown = ("alpha", "normalized_rho", "normalized_beta", "gamma")
        columns = {name: np.asarray(self.dataset_level[name]) for name in shown}
        table = pd.DataFrame(
            {"q": np.asarray(self.q), **columns, "class_balance": self.class_balance}
        )
        return f"{title}\n{table.to_string(index=False, float_format='{:.6g}'.format)}"


def _at_hand(*arrays: Any) -> bool:
    return not any(isinstance(array, jax.core.Tracer) for array in arrays)


def _result(q: Any, found: Family, names: tuple[str, ...]) -> Diversity:
    return Diversity(jnp.asarray(q), *found, class_names=names)


def _on_the_host(members: Members, q: Float[np.ndarray, " Q"]) -> Family:
    """The family of one dataset in doubles, rounded once to the dtype of `q`."""
    found = host_family(members, q)

    def rounded(level: dict[str, np.ndarray]) -> dict[str, Any]:
        return {name: table.astype(q.dtype) for name, table in level.items()}

    classes, entropies = rounded(found.class_level), rounded(found.class_entropy)
    dataset, whole = (
        {name: row[:, 0] for name, row in rounded(level).items()}
        for level in (found.dataset_level, found.dataset_entropy)
    )
    balance: Any = found.class_balance[:, 0].astype(q.dtype)
    return jax.device_put(Family(classes, dataset, entropies, whole, balance))


def diversity(
    counts: Any,
    similarity: Any = None,
    *,
    q: ArrayLike | Sequence[float] = (0, 1, 2, np.inf),
    elements: Any = None,
) -> Diversity:
    r"""Measure the diversity of counted elements in classes, similar ones counted together.

    Args:
        counts: How often each of S elements occurs in each of C classes, >= 0: an array (S, C)
            or (S,), a dict of arrays (S,) by class, or a DataFrame with a column for each class.
        similarity: None for elements that have nothing in common (Hill numbers); a matrix (S, S)
            as array or DataFrame; or a `lcrjax.Similarity`.
        q: One viewpoint or several, in [0, inf].
        elements: What the similarity compares, S of them, where it is no matrix.

    Returns:
        A `Diversity`.

    Raises:
        ValueError: If counts are negative, NaN or all zero, a class is empty (named), the
            similarity does not fit the counts, or a viewpoint is negative or NaN.

    References:
        Reeve et al. (2016); paper, equations 3 and 4 and section II-E.

    Examples:
        Two bowls of fruit: three kinds of which two are nearly alike, and three that are not.

        >>> import lcrjax
        >>> import numpy as np
        >>> alike = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])
        >>> D = lcrjax.diversity(np.array([2, 2, 2]), alike, q=1)
        >>> print(round(float(D.dataset_level["alpha"][0]), 3))
        1.778
        >>> D = lcrjax.diversity(np.array([2, 2, 2]), q=1)
        >>> print(round(float(D.dataset_level["alpha"][0]), 3))
        3.0
    """
    table, class_names, element_names = counts_array(counts)
    orders = viewpoints(q, table.dtype)
    relation = Identity() if similarity is None else as_similarity(similarity)
    whole = table if not _at_hand(table) else np.asarray(table)  # whose sums nothing compiles
    abundance = jnp.asarray(whole / whole.sum(dtype=table.dtype))
    if isinstance(relation, Precomputed):
        relation.check(len(table), element_names)
    elif not isinstance(relation, Identity) and elements is None:
        raise ValueError(
            f"a {type(relation).__name__} compares elements: give them as elements=..., "
            "one for each row of the counts"
        )
    if elements is not None and len(elements) != len(table):
        raise ValueError(
            f"there are {len(elements)} elements but {len(table)} rows of counts: give one each"
        )
    weighed = zp(relation, table if elements is None else elements, abundance)
    _check_ordinariness(weighed, abundance, class_names)
    if _at_hand(abundance, weighed, q):
        members = members_of_table(np.asarray(abundance), np.asarray(weighed))
        found = _on_the_host(members, orders)
    else:
        found = _family(abundance, weighed, orders)
    return _result(orders, found, class_names)


def measure(
    images: Any,
    labels: Any,
    *,
    similarity: Similarity | None = None,
    q: ArrayLike | Sequence[float] = (0, 1, np.inf),
) -> Diversity:
    """Measure how diverse a labelled image dataset is, and each of its classes.

    Every image is an element of its own, which occurs once, in its class. The matrix of
    similarities is never stored: memory grows with n, time with n².

    Args:
        images: n images, (n, h, w) or (n, h, w, c); uint8, or floats in [0, 1]. With another
            similarity whatever it compares, such as embeddings (n, d).
        labels: Their n classes: integers, strings or booleans.
        similarity: None for RMSD, the paper's.
        q: One viewpoint or several, in [0, inf].

    Returns:
        A `Diversity`; its `class_names` are the sorted distinct labels.

    Raises:
        ValueError: If the images are not n arrays of numbers without NaN, pixels lie outside
            [0, 1], there are not n labels, or a viewpoint is negative or NaN.

    References:
        Paper, sections II-E and III-D.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> dark, light = np.zeros((2, 8, 8), np.uint8), np.full((2, 8, 8), 255, np.uint8)
        >>> D = lcrjax.measure(np.concatenate([dark, light]), ["dark"] * 2 + ["light"] * 2, q=0)
        >>> print(D.class_names, np.round(D.class_level["alpha"], 3))
        ('dark', 'light') [[2. 2.]]
        >>> print(np.round(D.dataset_level["gamma"], 3))
        [1.462]
    """
    viewpoints(q, np.float64)
    names, classes = _classes(labels)
    if len(images) != len(classes):
        raise ValueError(f"there are {len(images)} images and {len(classes)} labels: give one each")
    if similarity is None:
        similarity = RMSD()
        check_pixels(images)
    similarity = as_similarity(similarity)
    n = len(classes)
    given = jax.dtypes.canonicalize_dtype(getattr(images, "dtype", jnp.float32))
    dtype = jnp.float64 if given == jnp.float64 else jnp.float32
    weights = (classes[:, None] == np.arange(len(names))).astype(dtype)
    sums = zp(similarity, images, jnp.asarray(weights))
    _check_ordinariness(sums, weights, names)
    shares = (np.asarray(sums) if _at_hand(sums) else sums) / n
    return labelled_diversity(shares, classes, names, q)


def labelled_diversity(
    ordinariness: Float[Array, "n C"] | Float[np.ndarray, "n C"],
    classes: Int[Array, " n"] | Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    q: ArrayLike | Sequence[float],
) -> Diversity:
    """Measure a labelled dataset whose ordinariness is known: `measure` without its first half.

    Args:
        ordinariness: $(Z P)_{ij}$ of each of n elements, where each counts 1/n in its own class.
        classes: Class of each element, 0 to C - 1; every class occurs.
        class_names: C names.
        q: One viewpoint or several, in [0, inf].

    Returns:
        A `Diversity`.

    Raises:
        ValueError: If a viewpoint is negative or NaN.
    """
    orders = viewpoints(q, ordinariness.dtype)
    if _at_hand(ordinariness, classes, q):
        found = _on_the_host(_members(np.asarray(ordinariness), np.asarray(classes)), orders)
        return _result(orders, found, class_names)
    table, labels = jnp.asarray(ordinariness), jnp.asarray(classes)
    own = jnp.take_along_axis(table, labels[:, None], axis=1)[:, 0]
    everyone = jnp.sum(table, axis=1)
    found = _labelled_family(labels, own, everyone, n_classes=len(class_names), q=orders)
    return _result(orders, found, class_names)


def _members(table: Float[np.ndarray, "n C"], labels: Int[np.ndarray, " n"]) -> Members:
    own = np.take_along_axis(table, labels[:, None], axis=1)
    everyone = table.sum(axis=1, dtype=np.float64)
    return members_of_labels(labels[None], own.T, everyone[None])


def hill_number(p: Float[ArrayLike, " S"], q: ArrayLike) -> Float[Array, ""]:
    r"""Effective number of elements of order q, none similar to another (paper, equation 1).

    Args:
        p: Relative abundances or counts, >= 0; normalized here.
        q: Viewpoint in [0, inf], may be traced; richness at 0, exponential of Shannon's entropy
            at 1, inverse Simpson index at 2, inverse Berger-Parker index at inf.

    Returns:
        A number from 1 to S.

    Raises:
        ValueError: If `p` is not one-dimensional, holds a negative number, NaN or infinity, or
            nothing but zeros, or `q` is negative, NaN or not a scalar; traced values stay
            unchecked.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.hill_number([0.5, 0.25, 0.25], 2))
        2.6666667
    """
    p = jnp.asarray(p)
    if p.ndim != 1:
        raise ValueError(f"p has shape {p.shape}: give one abundance for each element")
    p = p.astype(jnp.result_type(p, jnp.float32))
    check_viewpoint(q)
    if _at_hand(p):
        host = np.asarray(p, np.float64)
        _check_abundances(host)
        if _at_hand(q):
            share = host[host > 0] / host.sum()
            means = LogMeans(share, -np.log(share)[None], Segments(np.array([len(share)])))
            order = 1 - np.asarray(q, p.dtype).astype(np.float64)
            return jnp.asarray(np.exp(means.at(float(order))[0, 0]), p.dtype)
    share = p / jnp.sum(p)
    return power_mean(1 - jnp.asarray(q, p.dtype), share, 1 / jnp.where(p > 0, share, 1))


def _check_abundances(p: Float[np.ndarray, " S"]) -> None:
    bad = np.flatnonzero(~(p >= 0) | np.isinf(p))
    if len(bad):
        raise ValueError(
            f"the abundance of element {bad[0]} is {p[bad[0]]:g}: "
            "abundances are finite and not negative"
        )
    if not p.any():
        raise ValueError("all abundances are zero: there is nothing to measure")


def _check_ordinariness(weighed: Any, weights: Any, names: tuple[str, ...]) -> None:
    """Refuse what a similarity that returns NaN or negative numbers leaves, unless traced."""
    if not _at_hand(weighed, weights):
        return
    found, given = np.asarray(weighed), np.asarray(weights)
    present = given >= jnp.finfo(given.dtype).tiny
    bad = np.argwhere(~(found >= 0) | np.isinf(found) | (present & (found == 0)))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"the similarities of element {i} to class {names[j]!r} add up to {found[i, j]:g}: "
            "similarities are finite and not negative, and that of an element to itself is one"
        )


def _classes(labels: Any) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(f"labels have shape {array.shape}: give one label per image")
    if array.dtype.kind == "f" and not np.all(array == np.rint(array)):
        bad = array[~(array == np.rint(array))][0]
        raise ValueError(f"labels hold {bad}: give integers, strings or booleans")
    if array.dtype == object and any(label is None for label in array):
        raise ValueError("labels hold None: give every image its label")
    try:
        distinct, classes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"labels are of several kinds: give one kind alone ({error})") from error
    return tuple(str(name) for name in distinct), classes.astype(np.int32)


def check_pixels(images: Any) -> None:
    """Refuse floats that cannot be pixels, unless they are traced.

    Raises:
        ValueError: If they leave [0, 1].
    """
    if isinstance(images, jax.core.Tracer) or np.asarray(images[:1]).dtype.kind != "f":
        return
    low, high = float(np.min(images)), float(np.max(images))
    if low < 0 or high > 1:
        raise ValueError(
            f"pixels run from {low:g} to {high:g}: bring floats into [0, 1], "
            "or give uint8 images, or a similarity such as RMSD() that takes them as they are"
        )
