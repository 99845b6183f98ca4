"""Weighted power mean of every order, in log space (paper, section II-B; Leinster 2021, ch. 4).

One body serves two namespaces: NumPy in float64 for numbers that are at hand, where nothing has to
compile and much of the work can be left out, and jax.numpy for those that are traced, which have
finite derivatives of every kind, by the order at zero too.
"""

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand, namespace
from lcrjax.numerics.groupings import AnyArray, Grouping, Runs, Segments
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.widths import float_dtype

_NOTHING = {np.add: 0.0, np.maximum: -np.inf, np.minimum: np.inf}  # what changes no join
_SERIES = 14  # terms of the series of derivatives, to float64's last digit for |x| <= 0.5


def _unlimited(dtype: Any) -> float:
    """Orders beyond which the weight of the extreme item no longer shows in the last digit."""
    return 1e9 if dtype == np.float32 else 1e16


def _tiny(dtype: Any) -> float:
    """Orders below which the mean is the geometric one; r d loses no digits to underflow yet."""
    return 1e-20 if dtype == np.float32 else 1e-40


def log_of(x: Float[AnyArray, "..."]) -> Float[AnyArray, "..."]:
    """Natural log, minus infinity of zero, whose derivative is left out: it is not finite there."""
    if isinstance(x, np.ndarray):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(x)
    nothing = x == 0
    return jnp.where(nothing, -jnp.inf, jnp.log(jnp.where(nothing, 1, x)))


def _largest_power(dtype: Any) -> float:
    """What exp takes: its result fits, and outweighs the least of the weights."""
    return 60.0 if dtype == np.float32 else 600.0


class _LogMeans:
    """Logs of the power means of items within groups, at some orders.

    With y = log of the items, w their weights as shares of the group, c any number:

        log M_r = c + log(1 + sum w (exp(r (y - c)) - 1)) / r

    Around the mean log, c = sum w y, the sum is not negative, since exp is convex: nothing cancels,
    for small r as for large. Where the extreme item's power would overflow, c lies as close to that
    item's log as it must, and the sum is large. Nearer yet it would come close to -1, and log1p
    would lose digits.
    """

    def __init__(
        self,
        weights: Float[AnyArray, " N"],
        logs: Callable[[slice], Float[AnyArray, "m n"]],
        groups: Grouping,
    ) -> None:
        self._xp = xp = namespace(weights)
        self._weights, self._logs = weights[None, :], logs
        whole = [(slice(None), slice(None), groups)]
        self._parts = list(groups.parts()) if isinstance(groups, Segments) else whole
        joins = [*4 * [np.add], np.maximum, np.minimum]
        mass, finite, rest, logs_in_all, top, bottom = self._in_all(self._first_look, joins)
        self._mass = xp.where(finite > 0, finite, 1)
        # Zeros of an order above zero, and infinities of one below, only take weight away.
        self._log_part = -xp.log1p(rest / self._mass)
        self._top = xp.where(mass > 0, top, xp.nan)
        self._bottom = xp.where(mass > 0, bottom, xp.nan)
        self._centre = logs_in_all / self._mass

    def _in_all(
        self, look: Callable[[slice, slice, Grouping], list[AnyArray]], joins: Sequence[np.ufunc]
    ) -> list[AnyArray]:
        """What all members give their groups, from what those of each part give."""
        found = [look(*part) for part in self._parts]
        if len(found) == 1:
            return found[0]
        out = []
        for join, *of_parts in zip(joins, *found, strict=True):
            shape = (max(map(len, of_parts)), self._parts[-1][1].stop)
            out.append(np.full(shape, _NOTHING[join]))
            for (_, groups, _), x in zip(self._parts, of_parts, strict=True):
                out[-1][:, groups] = join(out[-1][:, groups], x)
        return out

    def _first_look(self, members: slice, _: slice, own: Grouping) -> list[AnyArray]:
        xp, weights, logs = self._xp, self._weights[:, members], self._logs(members)
        member = weights != 0
        proper = member & xp.isfinite(logs)
        mass = finite = own.sum(weights)
        counted, lowest, highest, rest = weights, logs, logs, xp.zeros_like(mass)
        if xp is jnp or not proper.all():  # else there is nothing to mask: half of the work
            lowest, highest = (xp.where(member, logs, x) for x in (-xp.inf, xp.inf))
            counted, logs = xp.where(proper, weights, 0), xp.where(proper, logs, 0)
            finite = own.sum(counted)
            rest = own.sum(xp.where(member & ~proper, weights, 0))
        sums = [mass, finite, rest, own.sum(counted * logs)]
        return [*sums, own.largest(lowest), own.least(highest)]

    def at(self, orders: Any) -> list[Float[AnyArray, "m G"]]:
        """Take the means of some orders, any real numbers or +-inf, in one pass over members."""
        xp, top, bottom, centre = self._xp, self._top, self._bottom, self._centre
        dtype, most = centre.dtype, _largest_power(centre.dtype)
        out: list[Any] = []
        powers = []
        for order in orders:
            # Items of zero (log -inf) and infinity rule on their side of order zero, and at order
            # zero, where both together leave the mean undefined: then their sum is NaN.
            lead = xp.where(order > 0, top, xp.where(order < 0, bottom, top + bottom))
            led, beyond = xp.isfinite(lead), abs(order) > _unlimited(dtype)
            if xp is np and (beyond or not order):
                out.append(xp.where(led & (not beyond), centre, lead))
                continue
            r = xp.where(beyond, 1, xp.where(abs(order) < _tiny(dtype), _tiny(dtype), order))
            height = xp.where(led, r * (lead - centre), 0)
            c = centre + xp.maximum(height - most, 0) / r
            powers.append((len(out), r, c, r * lead, led & xp.logical_not(beyond)))
            out.append(None)

        def rises(members: slice, groups: slice, own: Grouping) -> list[AnyArray]:
            weights, logs = self._weights[:, members], self._logs(members)
            proper = (weights != 0) & xp.isfinite(logs)
            if xp is jnp or not proper.all():  # the rest lies where no power of it overflows
                weights = xp.where(proper, weights, 0)
                logs = xp.where(proper, logs, own.spread(centre[:, groups]))
            sums = []
            for _, r, c, _, _ in powers:
                up = xp.minimum(r * (logs - own.spread(c[:, groups])), 1.1 * most)  # if not `led`
                sums.append(own.sum(weights * xp.expm1(up)))
            return sums

        found = self._in_all(rises, [np.add] * len(powers)) if powers else []
        for (place, r, c, limit, led), rise in zip(powers, found, strict=True):
            logs = r * c + xp.log1p(rise / self._mass) + self._log_part
            out[place] = xp.where(led, logs, limit) / r
        return out


@np.errstate(all="ignore")  # what has no number is NaN or infinite
def log_power_means(
    orders: Float[AnyArray, " Q"],
    weights: Float[AnyArray, " N"],
    logs: Float[AnyArray, "m N"] | Float[AnyArray, "m Q N"] | Callable[[slice], Any],
    groups: Grouping,
) -> Float[AnyArray, "m Q G"]:
    """Logs of the weighted power means within each group, of items given by their logs.

    Weights need not sum to one; members without weight drop out, whatever their item. A group
    without any weight gives NaN. Items may be zero or infinite (logs of minus or plus infinity).

    Args:
        orders: Orders of the means, any real numbers or +-inf.
        weights: Non-negative weights.
        logs: Natural logs of m rows of items, the same for all orders or (m, Q, N) for each; or
            what gives those of some of N members, (m, n), so that not all take memory.
        groups: Which items are averaged together; `Segments` on the host, `Classes` traced.

    Returns:
        Log of each row's, order's and group's mean. In NumPy's arrays the relative error of the
        means is below 1e-12 over thirty decades of weights and items. Of jax's, differentiable in
        everything, in the order also where it is zero, and by a weight of zero from above; where
        that derivative is infinite it is left out, so that all are finite.
    """
    if not isinstance(weights, np.ndarray):
        logs = logs(slice(None)) if callable(logs) else logs
        by_order = (0, None, None if logs.ndim == 2 else 1, None)
        return jax.vmap(_traced_means, by_order, 1)(orders, weights, logs, groups)
    if callable(logs) or logs.ndim == 2:
        shared = _LogMeans(weights, logs if callable(logs) else _some_of(logs), groups)
        return np.stack(shared.at(orders), axis=1)
    rows = zip(orders, np.swapaxes(logs, 0, 1), strict=True)
    means = [_LogMeans(weights, _some_of(x), groups).at([order])[0] for order, x in rows]
    return np.stack(means, axis=1)


def _some_of(logs: Float[AnyArray, "m N"]) -> Callable[[slice], Float[AnyArray, "m n"]]:
    return lambda members: logs[:, members]


@jax.custom_jvp
def _traced_means(order: Array, weights: Array, logs: Array, groups: Grouping) -> Array:
    return _LogMeans(weights, _some_of(logs), groups).at([order])[0]


@_traced_means.defjvp
def _traced_means_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    """Derivatives in a form that is finite everywhere, and has derivatives itself.

    With W the sum of weights and d the log of an item over the mean:

        dL/dlog x = w exp(r d) / W
        dL/dw     = (exp(r d) - 1) / (r W)
        dL/dr     = sum w (d exp(r d) / r - (exp(r d) - 1) / r^2) / W

    The last follows from log(sum w exp(r d) / W) = 0, which the definition of d says, and is half
    the variance of the logs at r = 0. `_phi` and `_chi` are the quotients without their poles.

    The second holds for a member without weight too, as the limit from above. Where that is
    infinite, as of an infinite item and an order above zero, it is left out.
    """
    order, weights, logs, groups = primals
    d_order, d_weights, d_logs, _ = tangents
    means = _traced_means(order, weights, logs, groups)
    beyond = abs(order) > _unlimited(weights.dtype)
    r = jnp.where(beyond, 0, order)
    able = groups.spread(jnp.isfinite(means))
    known = able & jnp.isfinite(logs)
    proper = known & (weights != 0)[None, :]
    gap = jnp.where(known, logs - groups.spread(means), 0)
    d = jnp.where(proper, gap, 0)
    mass = groups.spread(groups.sum(weights[None, :]))
    per_mass = jnp.where(able, 1 / jnp.where(mass > 0, mass, 1), 0)
    share = jnp.where(proper, per_mass * weights[None, :], 0)
    # At an infinite order those that are the extreme have equal parts in it, whatever they weigh.
    extreme = jnp.where(proper & (d == 0), jnp.ones_like(d), 0)
    pull = jnp.where(beyond, extreme, share * jnp.exp(r * d))
    pull = pull / jnp.where(proper, groups.spread(groups.sum(pull)), 1)  # rounding aside, over one
    change = jnp.where(proper, pull * d_logs, 0)
    # Of members without weight a power may overflow, and those whose power is zero have no gap.
    most = _largest_power(weights.dtype)
    by_weight = jnp.where(proper, d * _phi(r * d), gap * _phi(jnp.minimum(r * gap, most)))
    nothing = able & ((r > 0) & (logs == -jnp.inf) | (r < 0) & (logs == jnp.inf))
    by_weight = jnp.where(nothing, -1 / jnp.where(r == 0, 1, r), by_weight)
    by_weight = jnp.where(beyond, 0, per_mass * by_weight)
    by_order = jnp.where(beyond, 0, share * d**2 * _chi(r * d))
    change += by_weight * d_weights[None, :] + by_order * d_order
    return means, groups.sum(change)


def _phi(x: Array) -> Array:
    """`expm1(x) / x`, one at zero."""
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
    series = jnp.zeros_like(x)
    for k in range(_SERIES, 0, -1):  # sum of k x^(k-1) / (k+1)!
        series = series * tiny + k / factorial(k + 1)
    return jnp.where(small, series, (jnp.exp(large) - _phi(large)) / large)


@np.errstate(over="ignore")
def _mean_of_rows(order: Any, weights: AnyArray, items: AnyArray) -> AnyArray:
    """Means of the rows of a table, without its last axis."""
    logs = log_of(items.reshape(1, -1))
    groups = Runs(int(np.prod(weights.shape[:-1])), weights.shape[-1])
    means = log_power_means(order.reshape(1), weights.reshape(-1), logs, groups)
    return namespace(means).exp(means).reshape(weights.shape[:-1])


_mean_of_traced_rows = jax.jit(_mean_of_rows)


def mean_along_rows(
    order: Any, weights: Float[AnyArray, "*m n"], items: Float[AnyArray, "*m n"], dtype: Any
) -> Float[Array, "*m"]:
    """Power means along the last axis, unchecked: `power_mean` with a dtype for the result.

    Numbers at hand are averaged in float64 and rounded once, traced ones in the dtype.
    """
    if at_hand(order, weights, items):
        wide = (np.asarray(x, np.float64) for x in (order, weights, items))
        return jnp.asarray(_mean_of_rows(*wide), dtype)
    return _mean_of_traced_rows(*(jnp.asarray(x, dtype) for x in (order, weights, items)))


def power_mean(
    order: Any,
    weights: Any,
    items: Any,
    axis: int = 0,
) -> Float[Array, "..."]:
    r"""Weighted power mean along an axis, at any order.

    $M_r(w, x) = (\sum_i w_i x_i^r)^{1/r}$ over the support of $w$, with its limits: the geometric
    mean at $r = 0$, the extremes at $r = \pm\infty$. Numbers at hand are averaged in float64, to a
    relative error of 1e-12 over thirty decades of weights and items alike, near order zero too, and
    rounded once. Traced ones are averaged in their own dtype: float32 to 3e-6 over six decades.

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
    w, x, order = numbers("weights", weights), numbers("items", items), numbers("orders", order)
    xp: Any = np if at_hand(w, x) else jnp
    w, x = xp.asarray(w), xp.asarray(x)
    if w.shape != x.shape:
        raise ValueError(
            f"weights have shape {w.shape} and items {x.shape}: give them the same shape"
        )
    if order.ndim != 0:
        raise ValueError(f"order has shape {order.shape}: give one order, and vmap over more")
    if not -w.ndim <= axis < w.ndim:
        raise ValueError(f"axis is {axis}, but weights have {w.ndim} dimensions: give another")
    dtype = float_dtype(w, x)
    rounded = np.asarray(order, dtype) if at_hand(order) else jnp.asarray(order, dtype)
    wide = np.float64 if xp is np else dtype
    w, x = (xp.moveaxis(table.astype(wide), axis, -1) for table in (w, x))
    return mean_along_rows(rounded, xp.where(w < 0, np.nan, w), x, dtype)
