"""Weighted power mean of every order, in log space (paper, section II-B; Leinster 2021, ch. 4)."""

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from lcrjax.numerics import double_word as dw
from lcrjax.numerics.double_word import Pair

_REACH = 0.34  # of |order * log item| around the mean, up to which the series form is used
_SERIES = 14  # terms of the derivatives' series, at |x| <= 0.5


class Grouping(Protocol):
    """Which numbers are averaged together: reductions, and their results handed back."""

    def total(self, a: Pair) -> Pair:
        """Sum within each group."""

    def sum(self, x: Array) -> Array:
        """Sum within each group, in plain floats."""

    def largest(self, x: Array) -> Array:
        """Maximum within each group."""

    def spread(self, x: Array) -> Array:
        """Give each member its group's number."""


class Columns(NamedTuple):
    """Groups are the columns of an array: reductions run along its first axis, which stays."""

    def total(self, a: Pair) -> Pair:
        """Sum within each group."""
        return dw.total(a)

    def sum(self, x: Array) -> Array:
        """Sum within each group, in plain floats."""
        return jnp.sum(x, axis=0, keepdims=True)

    def largest(self, x: Array) -> Array:
        """Maximum within each group."""
        return jnp.max(x, axis=0, keepdims=True, initial=-jnp.inf)

    def spread(self, x: Array) -> Array:
        """Give each member its group's number."""
        return x


class Classes(NamedTuple):
    """Groups are the elements of a vector that share a label in 0..C-1; `names` is arange(C)."""

    labels: Int[Array, " n"]
    names: Int[Array, " C"]

    def _member(self) -> Array:
        return self.labels[:, None] == self.names[None, :]

    def total(self, a: Pair) -> Pair:
        """Sum within each group."""
        apart = jax.tree.map(lambda part: jnp.where(self._member(), part[:, None], 0), a)
        return Pair(*jax.tree.map(lambda part: part[0], dw.total(apart)))

    def sum(self, x: Array) -> Array:
        """Sum within each group, in plain floats."""
        return jnp.sum(jnp.where(self._member(), x[:, None], 0), axis=0)

    def largest(self, x: Array) -> Array:
        """Maximum within each group."""
        return jnp.max(jnp.where(self._member(), x[:, None], -jnp.inf), axis=0, initial=-jnp.inf)

    def spread(self, x: Array) -> Array:
        """Give each member its group's number."""
        return x[self.labels]


def _largest(groups: Grouping, a: Pair, member: Array) -> Pair:
    hi = groups.largest(jnp.where(member, a.hi, -jnp.inf))
    if a.lo is None:
        return Pair(hi, None)
    lo = groups.largest(jnp.where(member & (a.hi == groups.spread(hi)), a.lo, -jnp.inf))
    return Pair(hi, jnp.where(jnp.isfinite(hi), lo, 0))


def _unlimited(order: Array) -> Array:
    """Beyond this the extremes' weight no longer shows in the last digit."""
    return jnp.abs(order) > (1e9 if order.dtype == jnp.float32 else 1e16)


@jax.custom_jvp
def log_power_mean(order: Array, weights: Array, logs: Pair, groups: Grouping) -> Pair:
    """Log of the weighted power mean within each group, of items given by their logs.

    Weights need not sum to one; members without weight drop out, whatever their item. A group
    without any weight gives NaN. Items may be zero or infinite (logs of minus or plus infinity).

    Args:
        order: Order of the mean, any real number or +-inf; a scalar of the weights' dtype.
        weights: Non-negative weights.
        logs: Natural logs of the items, of a shape that broadcasts to that of the weights.
        groups: `Columns` or `Classes`.

    Returns:
        The log of each group's mean, a pair where `logs` is one. Differentiable in everything, in
        the order also where it is zero; a member without weight has no influence, hence a
        derivative of zero.
    """
    logs = jax.tree.map(lambda part: jnp.broadcast_to(part, weights.shape), logs)
    member = weights > 0
    proper = member & jnp.isfinite(logs.hi)
    w = jnp.where(proper, weights, 0)
    nothing = dw.pair(jnp.zeros_like(logs.hi), logs)
    finite = dw.where(proper, logs, nothing)

    def has(condition: Array) -> Array:
        return groups.largest(jnp.where(condition, jnp.ones_like(w), 0)) > 0

    zeros, infinities = has(member & (logs.hi == -jnp.inf)), has(member & (logs.hi == jnp.inf))
    unlimited = _unlimited(order)
    tiny = 1e-20 if order.dtype == jnp.float32 else 1e-40
    r = jnp.where(unlimited, jnp.sign(order), jnp.where(jnp.abs(order) < tiny, tiny, order))

    # Either all items lie close to their mean, and sums of expm1 keep the digits, or the largest
    # term leads. Any reference will do: it is subtracted from the logs and added to the result.
    mass = groups.total(dw.pair(weights, logs))
    centre = groups.total(dw.scale(finite, w)).hi / mass.hi
    distance = jnp.abs(finite.hi - groups.spread(centre))
    if finite.lo is not None:
        distance += jnp.abs(finite.lo)
    reach = groups.largest(jnp.where(proper, distance, 0))
    close = (reach * jnp.abs(r) <= _REACH) & ~zeros & ~infinities
    heights = jnp.where(proper, r * finite.hi + jnp.log(jnp.where(proper, w, 1)), -jnp.inf)
    leads = proper & (heights == groups.spread(groups.largest(heights)))
    leader = groups.largest(jnp.where(leads, finite.hi, -jnp.inf))
    reference = jnp.where(close, centre, jnp.where(jnp.isfinite(leader), leader, 0))
    d = dw.subtract(finite, dw.pair(groups.spread(reference), finite))
    powers = dw.scale(dw.where(proper, d, nothing), r)
    floor = 2 * float(np.log(float(jnp.finfo(w.dtype).tiny)))
    powers = dw.where(powers.hi > floor, powers, dw.pair(jnp.maximum(powers.hi, floor), powers))
    rise, grown = dw.exponential_parts(powers)
    terms = dw.scale(dw.where(groups.spread(close), rise, grown), w)
    log_fraction = dw.log_fraction(close, dw.divide(groups.total(terms), mass))
    mean = dw.divide(log_fraction, dw.pair(jnp.broadcast_to(r, reference.shape), logs))
    mean = dw.add(dw.pair(reference, logs), mean)

    top = _largest(groups, logs, member)
    bottom = dw.negative(_largest(groups, dw.negative(logs), member))
    mean = dw.where(unlimited, dw.where(order > 0, top, bottom), mean)
    # One zero makes the mean of an order <= 0 zero, one infinity makes that of an order >= 0
    # infinite; at order zero both together make it undefined.
    nothing_else = ~has(proper)
    none = zeros & ((order <= 0) | (nothing_else & ~infinities))
    all_of_it = infinities & ((order >= 0) | (nothing_else & ~zeros))
    undefined = (none & all_of_it) | ~(mass.hi > 0) | has(member & jnp.isnan(logs.hi))
    lost = jnp.where(undefined, jnp.nan, jnp.where(none, -jnp.inf, jnp.inf))
    return dw.where(none | all_of_it | undefined, dw.pair(lost.astype(w.dtype), logs), mean)


def _phi(x: Array) -> Array:
    """`expm1(x) / x`, differentiable at zero."""
    small = jnp.abs(x) < 0.1
    tiny, large = jnp.where(small, x, 0), jnp.where(small, 1, x)
    series = jnp.ones_like(x)
    for k in range(_SERIES, 1, -1):
        series = 1 + series * tiny / k
    return jnp.where(small, series, jnp.expm1(large) / large)


def _chi(x: Array) -> Array:
    """`(exp(x) - phi(x)) / x`, one half at zero."""
    small = jnp.abs(x) < 0.5
    tiny, large = jnp.where(small, x, 0), jnp.where(small, 1, x)
    series, factor = jnp.zeros_like(x), 1.0
    for k in range(1, _SERIES + 1):  # sum of k x^(k-1) / (k+1)!
        factor /= k + 1
        series = series + k * factor * tiny ** (k - 1)
    return jnp.where(small, series, (jnp.exp(large) - _phi(large)) / large)


@log_power_mean.defjvp
def _log_power_mean_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    order, weights, logs, groups = primals
    d_order, d_weights, d_logs, _ = tangents
    mean = log_power_mean(order, weights, logs, groups)
    logs = jax.tree.map(lambda part: jnp.broadcast_to(part, weights.shape), logs)
    unlimited = _unlimited(order)
    r = jnp.where(unlimited, 0, order)
    proper = (weights > 0) & jnp.isfinite(logs.hi) & jnp.isfinite(groups.spread(mean.hi))
    d = dw.value(dw.subtract(logs, jax.tree.map(groups.spread, mean)))
    d = jnp.where(proper, d, 0)
    mass = groups.spread(groups.sum(weights))
    share = jnp.where(proper, weights / jnp.where(mass > 0, mass, 1), 0)
    extreme = (d == 0) & proper
    ties = groups.spread(groups.sum(extreme.astype(share.dtype)))
    pull = jnp.where(unlimited, extreme / jnp.where(ties > 0, ties, 1), share * jnp.exp(r * d))
    change = jnp.where(proper, pull * dw.value(d_logs), 0)
    per_mass = jnp.where(proper, 1 / jnp.where(mass > 0, mass, 1), 0)
    change += jnp.where(unlimited, 0, per_mass * d * _phi(r * d)) * d_weights
    change += jnp.where(unlimited, 0, share * d**2 * _chi(r * d)) * d_order
    tangent = groups.sum(change)
    return mean, dw.pair(tangent, mean)


@jax.jit(static_argnames="axis")
def _power_mean(order: Array, weights: Array, items: Array, axis: int) -> Array:
    weights, items = jnp.moveaxis(weights, axis, 0), jnp.moveaxis(items, axis, 0)
    log = log_power_mean(order, weights, dw.logarithm(items, items.dtype == jnp.float32), Columns())
    return jnp.squeeze(dw.exponential(log), 0)


def power_mean(
    order: ArrayLike,
    weights: Float[ArrayLike, "..."],
    items: Float[ArrayLike, "..."],
    axis: int = 0,
) -> Float[Array, "..."]:
    r"""Weighted power mean along an axis, at any order.

    $M_r(w, x) = (\sum_i w_i x_i^r)^{1/r}$ over the support of $w$, with its limits: the geometric
    mean at $r = 0$, the extremes at $r = \pm\infty$. The relative error is a unit or two in the
    last place, near order zero and over thirty decades of weights and items alike.

    Args:
        order: Order, a real number or +-inf. May be traced: a sweep of orders compiles once. It
            is rounded to the dtype of the result.
        weights: Weights >= 0; normalised here. Items without weight drop out.
        items: Items >= 0, zero and infinity included; of the shape of `weights`.
        axis: The axis to average over.

    Returns:
        The means, in the common float dtype of weights and items, without `axis`. NaN where all
        weights are zero, and where an item or a weight is negative or NaN.

    Raises:
        ValueError: If the shapes differ, or `order` is not a scalar.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.power_mean(1.0, [0.5, 0.5], [1.0, 4.0]))
        2.5
        >>> print(lcrjax.power_mean(0.0, [0.5, 0.5], [1.0, 4.0]))
        2.0
        >>> print(lcrjax.power_mean(-1.0, [0.5, 0.5], [1.0, 4.0]))
        1.6
    """
    weights, items = jnp.asarray(weights), jnp.asarray(items)
    if weights.shape != items.shape:
        raise ValueError(
            f"weights have shape {weights.shape} and items {items.shape}: give them the same shape"
        )
    if np.ndim(order) != 0:
        raise ValueError(f"order has shape {np.shape(order)}: give one order, and vmap over more")
    if not -weights.ndim <= axis < weights.ndim:
        raise ValueError(f"axis is {axis}, but weights have {weights.ndim} dimensions")
    dtype = jnp.result_type(weights, items, jnp.float32)
    weights, items = weights.astype(dtype), items.astype(dtype)
    weights = jnp.where(weights < 0, jnp.nan, weights)
    return _power_mean(jnp.asarray(order, dtype), weights, items, axis % weights.ndim)
