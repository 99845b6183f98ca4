"""The LCR family of diversities from abundances and ordinariness (paper, section II-E).

One body of formulas in two namespaces: NumPy in float64 for numbers at hand, of one dataset or of
many at once, and jax.numpy for traced ones, where it is a pure function for jit, vmap and grad.
It knows nothing of images and checks nothing. To add a measure, add a line to `MEASURES`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from lcrjax.numerics.arrays import namespace
from lcrjax.numerics.groupings import AnyArray, Classes, Grouping, Runs, Segments
from lcrjax.numerics.power_means import log_of, log_power_means


class ClassLogs(NamedTuple):
    """What the measures of classes are made of: logs at Q orders, G classes."""

    alpha: Float[AnyArray, "Q G"]
    rho: Float[AnyArray, "Q G"]
    gamma: Float[AnyArray, "Q G"]
    weight: Float[AnyArray, "1 G"]  # of the share of the dataset that a class has
    n_classes: Float[AnyArray, "1 G"]  # no log: of the dataset that the class belongs to


class Measure(NamedTuple):
    """A measure of classes; that of the dataset is its mean over them."""

    formula: Callable[[ClassLogs], Any]
    signed: bool = False  # the formula gives the number, which may be negative, and not its log


def _hat(log: AnyArray, n_classes: AnyArray) -> AnyArray:
    """`(x - 1) / (C - 1)` of x = exp(log), and x itself if C is one."""
    xp, several = namespace(log), n_classes > 1
    return xp.where(several, xp.expm1(log) / xp.where(several, n_classes - 1, 1), xp.exp(log))


def _beta_hat(logs: ClassLogs) -> AnyArray:
    """`(C / rho - 1) / (C - 1)`, and rho if C is one."""
    xp = namespace(logs.rho)
    opposite = xp.where(logs.n_classes > 1, xp.log(logs.n_classes) - logs.rho, logs.rho)
    return _hat(opposite, logs.n_classes)


#: Every measure, in the order of a table's columns (Reeve et al. 2016, table 2).
MEASURES: dict[str, Measure] = {
    "alpha": Measure(lambda c: c.alpha),
    "rho": Measure(lambda c: c.rho),
    "beta": Measure(lambda c: -c.rho),
    "gamma": Measure(lambda c: c.gamma),
    "normalized_alpha": Measure(lambda c: c.alpha + c.weight),
    "normalized_rho": Measure(lambda c: c.rho + c.weight),
    "normalized_beta": Measure(lambda c: -(c.rho + c.weight)),
    "rho_hat": Measure(lambda c: _hat(c.rho, c.n_classes), signed=True),
    "beta_hat": Measure(_beta_hat, signed=True),
}


class Family(NamedTuple):
    """Every measure at Q orders, of B datasets with G classes in a row, as tables.

    Rows of a table are the measures; as tables they are few results for XLA to compile.
    """

    class_numbers: Float[AnyArray, "measures Q G"]
    dataset_numbers: Float[AnyArray, "measures Q *B"]
    class_entropies: Float[AnyArray, "measures Q G"]
    dataset_entropies: Float[AnyArray, "measures Q *B"]
    class_balance: Float[AnyArray, "Q *B"]

    @property
    def class_level(self) -> dict[str, Float[AnyArray, "Q G"]]:
        """Effective numbers of classes."""
        return _named(self.class_numbers)

    @property
    def dataset_level(self) -> dict[str, Float[AnyArray, "Q *B"]]:
        """Their means over the classes of a dataset."""
        return _named(self.dataset_numbers)

    @property
    def class_entropy(self) -> dict[str, Float[AnyArray, "Q G"]]:
        """Logs of `class_level`, computed as such."""
        return _named(self.class_entropies)

    @property
    def dataset_entropy(self) -> dict[str, Float[AnyArray, "Q *B"]]:
        """Logs of `dataset_level`."""
        return _named(self.dataset_entropies)


def _named(table: Any) -> dict[str, Any]:
    return {name: table[i] for i, name in enumerate(MEASURES)}


class Members(NamedTuple):
    """Who is in which class: N pairs of an element and a class that may have it."""

    abundance: Float[AnyArray, " N"]  # P_ij in any unit; zero for who is no member
    own: Float[AnyArray, " N"]  # (Z P_.j)_i, with P summing to one in each dataset
    everyone: Float[AnyArray, " N"]  # (Z p)_i
    classes: Grouping  # of the members
    datasets: Grouping  # of the classes


def members_of_table(
    abundance: Float[AnyArray, "S C"], ordinariness: Float[AnyArray, "S C"]
) -> Members:
    """List who is in the classes of one table of abundances, with their ordinariness."""
    if isinstance(abundance, np.ndarray):
        return members_of_tables(abundance[None], ordinariness[None])
    shape = abundance.shape[::-1]
    everyone = jnp.broadcast_to(jnp.sum(ordinariness, axis=1)[None, :], shape)
    p, own, all_of_it = (part.reshape(-1) for part in (abundance.T, ordinariness.T, everyone))
    return Members(p, own, all_of_it, Runs(*shape), Runs(1, shape[0]))


def members_of_tables(
    abundance: Shaped[np.ndarray, "B S C"], ordinariness: Float[np.ndarray, "B S C"]
) -> Members:
    """List who is in the classes of B tables at hand; zeros, which may be many, are left out.

    Classes come dataset after dataset; those that a dataset lacks are left out.
    """
    counts = abundance.swapaxes(1, 2)
    within = counts > 0
    everyone = np.broadcast_to(ordinariness.sum(axis=2)[:, None, :], counts.shape)
    parts = (counts, ordinariness.swapaxes(1, 2), everyone)
    p, own, all_of_it = (np.asarray(x[within], np.float64) for x in parts)
    sizes = np.count_nonzero(within, axis=2)
    classes, datasets = Segments(sizes[sizes > 0]), Segments(np.count_nonzero(sizes, axis=1))
    return Members(p, own, all_of_it, classes, datasets)


def members_of_labels(
    labels: Int[np.ndarray, "B n"],
    own: Float[np.ndarray, "B n"],
    everyone: Float[np.ndarray, "B n"],
) -> Members:
    """List who is in the classes of B labelled datasets at hand; every element counts once.

    Classes come dataset after dataset; those that a dataset lacks are left out.
    """
    count = int(labels.max()) + 1
    kind = np.min_scalar_type(count * len(labels))  # small numbers are sorted in linear time
    first = (count * np.arange(len(labels))).astype(kind)
    group = (labels.astype(kind) + first[:, None]).ravel()
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=count * len(labels)).reshape(len(labels), count)
    present = sizes > 0
    own, everyone = (np.asarray(x, np.float64).ravel()[order] for x in (own, everyone))
    classes, datasets = Segments(sizes[present]), Segments(np.count_nonzero(present, axis=1))
    return Members(np.broadcast_to(1.0, group.size), own, everyone, classes, datasets)


@np.errstate(all="ignore")  # what has no number is NaN or infinite
def family_of(members: Members, q: Float[AnyArray, " Q"]) -> Family:
    """Every measure at every order, of classes and datasets.

    Args:
        members: Who is in which class of which dataset.
        q: Viewpoints in [0, inf], in the namespace of the members; may be traced.

    Returns:
        Effective numbers, logs and class balances, one column for each class and dataset. A class
        without members gives NaN and does not count.
    """
    xp, datasets = namespace(members.abundance), members.datasets
    orders = 1 - xp.asarray(q, members.abundance.dtype)
    mass = members.classes.sum(members.abundance)
    present = mass > 0
    weights = mass / datasets.spread(datasets.sum(mass))

    def items(some: slice) -> AnyArray:
        log_own, log_all = log_of(members.own[some]), log_of(members.everyone[some])
        return xp.stack([-log_own, log_all - log_own, -log_all])

    alpha, rho, gamma = log_power_means(orders, members.abundance, items, members.classes)
    n_classes = datasets.spread(datasets.sum(present.astype(weights.dtype)))
    logs = ClassLogs(alpha, rho, gamma, log_of(weights)[None, :], n_classes[None, :])
    given = xp.stack([measure.formula(logs) for measure in MEASURES.values()])
    signed = np.array([measure.signed for measure in MEASURES.values()])[:, None, None]
    numbers = xp.where(signed, given, xp.exp(given))
    entropies = xp.where(signed, log_of(xp.maximum(numbers, 0)), given)
    balance = xp.broadcast_to(-logs.weight[None], (1, *given.shape[1:]))
    whole = log_power_means(orders, weights, xp.concatenate([entropies, balance]), datasets)
    means = xp.exp(whole)
    # Of negative numbers only sums and extremes still have sense.
    order, present = orders[None, :, None], present[None, None, :]
    least = datasets.least(xp.where(signed & present, numbers, xp.inf))
    total = datasets.sum(xp.where(signed & present, weights[None, None, :] * numbers, 0))
    defined = xp.where(order == 1, total, xp.where(order == -xp.inf, least, xp.nan))
    dataset = xp.where(least < 0, defined, means[:-1])
    tables = (
        numbers,
        dataset,
        xp.where(numbers < 0, xp.nan, entropies),
        xp.where(least < 0, log_of(dataset), whole[:-1]),
        means[-1],
    )
    return Family(*(table + 0.0 for table in tables))  # no number is shown as -0


def alone(found: Family) -> Family:
    """The family of one dataset, without the axis of datasets."""
    return found._replace(
        dataset_numbers=found.dataset_numbers[..., 0],
        dataset_entropies=found.dataset_entropies[..., 0],
        class_balance=found.class_balance[..., 0],
    )


def family(
    abundance: Float[AnyArray, "S C"],
    ordinariness: Float[AnyArray, "S C"],
    q: Float[AnyArray, " Q"],
) -> Family:
    r"""Every measure at every order, from joint abundances and their ordinariness.

    Args:
        abundance: $P_{ij}$, relative abundance of element i in class j, summing to one.
        ordinariness: $(Z P)_{ij}$.
        q: Viewpoints in [0, inf]; may be traced.

    Returns:
        Effective numbers and logs, (Q, C) for classes and (Q,) for the dataset; NumPy's in float64
        where `abundance` is NumPy's. A class without elements gives NaN and does not count.

    References:
        Reeve et al. (2016), table 2; paper, section II-E.
    """
    return alone(family_of(members_of_table(abundance, ordinariness), q))


def labelled_family(
    labels: Int[AnyArray, " n"],
    own: Float[AnyArray, " n"],
    everyone: Float[AnyArray, " n"],
    n_classes: int,
    q: Float[AnyArray, " Q"],
) -> Family:
    r"""The family of a labelled dataset: every element counts once, in its own class.

    The same numbers as `family` gives for the one-hot abundances, for a C-th of the work.

    Args:
        labels: Class of each element, in 0..n_classes-1; at hand, every class occurs.
        own: $(Z P_{\cdot j})_i$ for the element's own class j: mean similarity to the dataset
            counting its own class alone.
        everyone: $(Z p)_i$.
        n_classes: C, static.
        q: Viewpoints in [0, inf]; may be traced.

    Returns:
        As `family`.
    """
    if isinstance(own, np.ndarray):
        return alone(family_of(members_of_labels(labels[None], own[None], everyone[None]), q))
    groups = Classes(labels, n_classes)
    members = Members(jnp.ones_like(own), own, everyone, groups, Runs(1, n_classes))
    return alone(family_of(members, q))
