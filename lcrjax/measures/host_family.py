"""The LCR family of numbers that are at hand: what `family` computes, in doubles, on the host.

Of one dataset or of many at once. Where anything is traced, differentiated or mapped, `family`
does the work; here nothing has to compile, which takes it seconds.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.family import MEASURES
from lcrjax.numerics.segments import LogMeans, Segments

_HATS = slice(MEASURES.index("rho_hat"), MEASURES.index("beta_hat") + 1)


class Members(NamedTuple):
    """Who is in which class, class after class: N pairs of an element and a class that has it.

    Classes come dataset after dataset, B datasets of them, G classes in all, none of them empty.
    """

    abundance: Float[np.ndarray, " N"]  # P_ij > 0, in any unit
    own: Float[np.ndarray, " N"]  # (Z P_.j)_i, with P summing to one in each dataset
    everyone: Float[np.ndarray, " N"]  # (Z p)_i
    sizes: Int[np.ndarray, " G"]  # members of each class
    classes: Int[np.ndarray, " B"]  # classes of each dataset


class HostFamily(NamedTuple):
    """As `lcrjax.measures.family.Family`, of many datasets: Q orders, their G classes in a row."""

    class_level: dict[str, Float[np.ndarray, "Q G"]]
    dataset_level: dict[str, Float[np.ndarray, "Q B"]]
    class_entropy: dict[str, Float[np.ndarray, "Q G"]]
    dataset_entropy: dict[str, Float[np.ndarray, "Q B"]]
    class_balance: Float[np.ndarray, "Q B"]


def members_of_table(
    abundance: Float[np.ndarray, "S C"], ordinariness: Float[np.ndarray, "S C"]
) -> Members:
    """List who is in the classes of one table of abundances, with their ordinariness."""
    within = abundance.T > 0
    everyone = np.broadcast_to(ordinariness.sum(axis=1), within.shape)
    parts = (abundance.T, ordinariness.T, everyone)
    p, own, all_of_it = (np.asarray(part[within], np.float64) for part in parts)
    return Members(p, own, all_of_it, np.count_nonzero(within, axis=1), np.array([len(within)]))


def members_of_labels(
    labels: Int[np.ndarray, "B n"],
    own: Float[np.ndarray, "B n"],
    everyone: Float[np.ndarray, "B n"],
) -> Members:
    """List who is in the classes of B labelled datasets, in which every element counts once."""
    count = int(labels.max()) + 1
    group = (labels + count * np.arange(len(labels))[:, None]).ravel()
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=count * len(labels)).reshape(len(labels), count)
    present = sizes > 0
    own, everyone = (np.asarray(x, np.float64).ravel()[order] for x in (own, everyone))
    classes = np.count_nonzero(present, axis=1)
    return Members(np.ones(group.size), own, everyone, sizes[present], classes)


def _hats(rho: Float[np.ndarray, "Q G"], n_classes: Float[np.ndarray, " G"]) -> np.ndarray:
    """`(rho - 1) / (C - 1)` and `(C / rho - 1) / (C - 1)`, from logs; rho itself if C is one."""
    several, others = n_classes > 1, np.maximum(n_classes - 1, 1)
    pair = np.stack([rho, np.where(several, np.log(n_classes) - rho, rho)])
    return np.where(several, np.expm1(pair) / others, np.exp(pair))


def _signed(
    order: float,
    weights: Float[np.ndarray, " G"],
    hats: Float[np.ndarray, "2 G"],
    means: Float[np.ndarray, "2 B"],
    datasets: Segments,
) -> Float[np.ndarray, "2 B"]:
    """Hats of rare classes can be negative: only sums and extremes still have sense."""
    least = datasets.least(hats)
    if order == 1:
        defined = datasets.sum(weights * hats)
    else:
        defined = least if order == -np.inf else np.full_like(least, np.nan)
    return np.where(least < 0, defined, means)


def host_family(members: Members, q: Float[np.ndarray, " Q"]) -> HostFamily:
    """Every measure at every order, in float64.

    Args:
        members: Who is in which class of which dataset.
        q: Viewpoints in [0, inf].

    Returns:
        Effective numbers, logs and class balances.

    References:
        Reeve et al. (2016), table 2; paper, section II-E.
    """
    datasets = Segments(members.classes)
    orders = 1 - np.asarray(q, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_own, log_p = np.log(members.own), np.log(members.everyone)
        logs = np.stack([-log_own, log_p - log_own, -log_p])
    means = LogMeans(members.abundance, logs, Segments(members.sizes))
    weights = means.mass / datasets.spread(datasets.sum(means.mass))
    log_weight = np.log(weights)
    n_classes = datasets.spread(members.classes.astype(np.float64))

    with np.errstate(all="ignore"):
        alpha, rho, gamma = np.stack([means.at(order) for order in orders], axis=1)
        bar = rho + log_weight
        hats = _hats(rho, n_classes)
        balance = np.broadcast_to(-log_weight, rho.shape)  # whose mean is the class balance
        entropies = np.stack(
            [alpha, rho, -rho, gamma, alpha + log_weight, bar, -bar, *np.log(hats), balance]
        )
        values = np.exp(entropies)
        values[_HATS] = hats
        entropies[_HATS] = np.log(np.maximum(hats, 0))
        levels = [
            LogMeans(weights, entropies[:, i], datasets).at(order) for i, order in enumerate(orders)
        ]
        whole = np.stack(levels, axis=1)
        numbers = np.exp(whole)
        for i, order in enumerate(orders):
            numbers[_HATS, i] = _signed(order, weights, hats[:, i], numbers[_HATS, i], datasets)
        whole[_HATS] = np.log(numbers[_HATS])
        entropies[_HATS] = np.log(hats)

    def named(table: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(MEASURES, table + 0.0, strict=False))  # and -0 becomes 0

    return HostFamily(named(values), named(numbers), named(entropies), named(whole), numbers[-1])
