"""The LCR family of diversities from abundances and ordinariness (paper, section II-E).

Pure kernels: no validation, no host work, logs throughout. They know nothing of images.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from lcrjax.numerics import double_word as dw
from lcrjax.numerics.double_word import Pair
from lcrjax.numerics.power_means import Classes, Columns, Grouping, log_power_mean

T = TypeVar("T")

#: Every measure, in the order of a table's columns.
MEASURES = (
    "alpha",
    "rho",
    "beta",
    "gamma",
    "normalized_alpha",
    "normalized_rho",
    "normalized_beta",
    "rho_hat",
    "beta_hat",
)


class Family(NamedTuple):
    """Effective numbers and their logs; Q orders, C classes."""

    class_level: dict[str, Float[Array, "Q C"]]
    dataset_level: dict[str, Float[Array, " Q"]]
    class_entropy: dict[str, Float[Array, "Q C"]]
    dataset_entropy: dict[str, Float[Array, " Q"]]
    class_balance: Float[Array, " Q"]


def _stack(*pairs: Pair) -> Pair:
    return jax.tree.map(lambda *parts: jnp.stack(jnp.broadcast_arrays(*parts)), *pairs)


def _map(f: Callable[[Array], Array], a: Pair) -> Pair:
    return jax.tree.map(f, a)


def _rows(stacked: Pair) -> list[Pair]:
    parts = [[part[i] for part in stacked if part is not None] for i in range(len(stacked.hi))]
    return [Pair(part[0], part[1] if len(part) == 2 else None) for part in parts]


def _each(one: Callable[[Array, Pair], T], order: Array, logs: Pair) -> T:
    """Apply `one` to every row of logs, (m, Q, ...), with its order, (Q,).

    Of pairs in a loop and not by vmap: XLA compiles a loop's body apart, several times faster than
    one program of pairs of floats in which everything is fused with everything.
    """
    if logs.lo is None:
        return jax.vmap(jax.vmap(one), (None, 0))(order, logs)
    m, n_orders = logs.hi.shape[:2]
    rows = _map(lambda part: part.reshape(-1, *part.shape[2:]), logs)
    out = lax.map(lambda row: one(*row), (jnp.tile(order, m), rows))
    return jax.tree.map(lambda x: x.reshape(m, n_orders, *x.shape[1:]), out)


def _class_means(q: Array, weights: Array, logs: Pair, groups: Grouping) -> Pair:
    """Logs of the class level: logs (m, ...) of the items -> (m, Q, C)."""

    def one(order: Array, log: Pair) -> Pair:
        mean = log_power_mean(order, weights, log, groups)
        return _map(jnp.ravel, mean)

    tiled = _map(lambda part: jnp.repeat(part[:, None], len(q), axis=1), logs)
    return _each(one, 1 - q, tiled)


def _hats(rho: Pair, n_classes: Array, log_n: Pair) -> tuple[Array, Pair]:
    """`(rho - 1) / (C - 1)`, `(C / rho - 1) / (C - 1)` and their logs; rho itself if C is one."""
    several = n_classes > 1

    def one(_: Array, log: Pair) -> tuple[Array, Pair]:
        hat = jnp.where(several, dw.expm1(log) / jnp.where(several, n_classes - 1, 1),
                        dw.exponential(log))  # fmt: skip
        return hat, dw.logarithm(jnp.maximum(hat, 0), rho.lo is not None)

    logs = _stack(rho, dw.where(several, dw.add(dw.negative(rho), log_n), rho))
    return _each(one, jnp.zeros(rho.hi.shape[0], rho.hi.dtype), logs)


def _signed(q: Array, weights: Array, items: Array, means: Array) -> Array:
    """Hats (2, Q, C) of rare classes can be negative: only sums and extremes still have sense."""
    negative = jnp.any((items < 0) & (weights > 0), axis=-1)
    plain = jnp.sum(jnp.where(weights > 0, weights * items, 0), axis=-1)
    least = jnp.min(jnp.where(weights > 0, items, jnp.inf), axis=-1)
    defined = jnp.where(q == 0, plain, jnp.where(q == jnp.inf, least, jnp.nan))
    return jnp.where(negative, defined, means)


def _assemble(q: Array, alpha: Pair, rho: Pair, gamma: Pair, weights: Array) -> Family:
    """All measures of classes and dataset, from three logs (Q, C) and the class weights (C,)."""
    present = weights > 0
    n_classes = jnp.sum(present).astype(weights.dtype)
    known = dw.logarithm(
        jnp.append(jnp.where(present, weights, 1), n_classes), alpha.lo is not None
    )
    log_weight, log_n = _map(lambda part: part[:-1], known), _map(lambda part: part[-1], known)
    normalized_rho = dw.add(rho, log_weight)
    hats, log_hats = _hats(rho, n_classes, log_n)
    logs = _stack(
        alpha,
        rho,
        dw.negative(rho),
        gamma,
        dw.add(alpha, log_weight),
        normalized_rho,
        dw.negative(normalized_rho),
        *_rows(log_hats),
        dw.negative(log_weight),  # whose mean is the class balance
    )

    def level(order: Array, log: Pair) -> tuple[Array, Array, Array]:
        column = _map(lambda part: part[:, None], log)
        mean = log_power_mean(order, weights[:, None], column, Columns())
        both = dw.exponential(jax.tree.map(jnp.append, log, mean))
        return both[:-1], both[-1], dw.value(mean)[0, 0]

    values, numbers, entropies = _each(level, 1 - q, logs)
    values = values.at[7:9].set(hats)
    numbers = numbers.at[7:9].set(_signed(q, weights, hats, numbers[7:9]))
    entropies = entropies.at[7:9].set(jnp.log(numbers[7:9]))
    class_entropies = dw.value(logs).at[7:9].set(jnp.log(hats))

    def named(table: Array) -> dict[str, Array]:
        return {name: table[i] for i, name in enumerate(MEASURES)}

    return Family(
        named(values), named(numbers), named(class_entropies), named(entropies), numbers[-1]
    )


def family(
    abundance: Float[Array, "S C"], ordinariness: Float[Array, "S C"], q: Float[Array, " Q"]
) -> Family:
    r"""Every measure at every order, from joint abundances and their ordinariness.

    Args:
        abundance: $P_{ij}$, relative abundance of element i in class j, summing to one.
        ordinariness: $(Z P)_{ij}$.
        q: Viewpoints in [0, inf]; may be traced.

    Returns:
        Effective numbers, logs and class balance. A class without elements gives NaN and does not
        count.

    References:
        Reeve et al. (2016), table 2; paper, section II-E.
    """
    wide = abundance.dtype == jnp.float32  # float64 has digits to spare
    weights = dw.value(dw.total(dw.pair(abundance)))[0]
    across = dw.total(Pair(ordinariness.T, jnp.zeros_like(ordinariness.T) if wide else None))
    log_p = _map(jnp.transpose, dw.log_of(across))
    log_own = dw.logarithm(ordinariness, wide)
    logs = _stack(dw.negative(log_own), dw.subtract(log_p, log_own), dw.negative(log_p))
    means = _class_means(q, abundance, logs, Columns())
    alpha, rho, gamma = _rows(means)
    return _assemble(q, alpha, rho, gamma, weights)


def labelled_family(
    labels: Int[Array, " n"],
    own: Float[Array, " n"],
    everyone: Float[Array, " n"],
    n_classes: int,
    q: Float[Array, " Q"],
) -> Family:
    r"""The family of a labelled dataset: every element counts once, in its own class.

    The same numbers as `family` gives for the one-hot abundances, for a C-th of the work.

    Args:
        labels: Class of each element, in 0..n_classes-1.
        own: $(Z P_{\cdot j})_i$ for the element's own class j: mean similarity to the dataset
            counting its own class alone.
        everyone: $(Z p)_i$.
        n_classes: C, static.
        q: Viewpoints in [0, inf]; may be traced.

    Returns:
        As `family`.
    """
    wide = own.dtype == jnp.float32  # float64 has digits to spare
    ones = jnp.ones_like(own)
    groups = Classes(labels, jnp.arange(n_classes, dtype=labels.dtype))
    weights = groups.sum(ones) / labels.shape[0]
    log_own, log_p = dw.logarithm(own, wide), dw.logarithm(everyone, wide)
    logs = _stack(dw.negative(log_own), dw.subtract(log_p, log_own), dw.negative(log_p))
    means = _class_means(q, ones, logs, groups)
    alpha, rho, gamma = _rows(means)
    return _assemble(q, alpha, rho, gamma, weights)
