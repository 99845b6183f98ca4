"""Numbers held as unevaluated sums of two floats, for sums of logs that must not lose digits.

A logarithm near 69 (thirty decades) has only 17 bits left behind the point in float32. A `Pair`
keeps half as many digits again, and more, than its dtype, from sums and from products that are
exact, so that a compiler that fuses a product into a sum gets the same value. A `Pair` whose `lo`
is None is a plain float: the same formulas, in the plain arithmetic of the dtype.

Derivatives exist of `add`, `subtract`, `negative`, `where`, `value`, `total`, `logarithm`,
`exponential` and `expm1`; the other functions are for use under a derivative rule.
Algorithms: Dekker (1971), Knuth's two-sum, Joldes et al. (2017).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import factorial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

_LN2 = Fraction("0.693147180559945309417232121458176568075500134360255254120680009493393622")
_EXP_TERMS = 15  # of the series of exp(f), |f| <= 0.6: to float64's last bit
_ROWS = 128  # summed side by side, before the last few one after another
_SHORT = 4096  # plain numbers are summed plainly


class Pair(NamedTuple):
    """The number `hi + lo`, with `lo` below half a unit in the last place of `hi`, or None."""

    hi: Array
    lo: Array | None


def pair(x: Array, like: Pair | None = None) -> Pair:
    """Lift a float array to a pair, or to a plain number where `like` is one."""
    return Pair(x, None if like is not None and like.lo is None else jnp.zeros_like(x))


def value(a: Pair) -> Array:
    """Round to one float."""
    return a.hi if a.lo is None else a.hi + a.lo


def _map(f: Callable[[Array], Array], a: Pair) -> Pair:
    return Pair(f(a.hi), None if a.lo is None else f(a.lo))


def constant(number: Fraction | int, like: Array) -> Pair:
    """Split an exact rational into two floats, of the dtype and shape of `like`.

    Behind a barrier, since XLA folds sums of constants, `(x + 1) - 1` into `x` among them.
    """
    hi = np.asarray(float(number), like.dtype)
    lo = np.asarray(float(number - Fraction(float(hi))), like.dtype)
    return Pair(*(jnp.broadcast_to(lax.optimization_barrier(c), like.shape) for c in (hi, lo)))


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    s = a + b
    bb = s - a
    return s, (a - (s - bb)) + (b - bb)


def _fast_two_sum(a: Array, b: Array) -> Pair:
    return Pair(*_fast_halves(a, b))


def _fast_halves(a: Array, b: Array) -> tuple[Array, Array]:
    s = a + b
    return s, b - (s - a)


def _halves(a: Array) -> tuple[Array, Array]:
    """Cut a float in two of half the digits each, by masking bits."""
    bits, mask = (jnp.int32, -(1 << 12)) if a.dtype == jnp.float32 else (jnp.int64, -(1 << 27))
    hi = lax.bitcast_convert_type(lax.bitcast_convert_type(a, bits) & mask, a.dtype)
    return hi, a - hi


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """`a * b` to half as many digits again, from products of halves, each of them exact."""
    ah, al = _halves(a)
    bh, bl = _halves(b)
    p, e = _fast_halves(ah * bh, ah * bl + al * bh)
    return p, e + al * bl


def add(a: Pair, b: Pair) -> Pair:
    """`a + b`, exact to the last place of a pair of the size of the larger."""
    if a.lo is None or b.lo is None:
        return Pair(value(a) + value(b), None)
    s, e = _two_sum(a.hi, b.hi)
    return _fast_two_sum(s, e + (a.lo + b.lo))


def negative(a: Pair) -> Pair:
    """`-a`."""
    return _map(jnp.negative, a)


def subtract(a: Pair, b: Pair) -> Pair:
    """`a - b`."""
    return add(a, negative(b))


def scale(a: Pair, x: Array) -> Pair:
    """`a * x` for a float `x`."""
    if a.lo is None:
        return Pair(a.hi * x, None)
    p, e = _two_product(a.hi, x)
    return _fast_two_sum(p, e + a.lo * x)


def multiply(a: Pair, b: Pair) -> Pair:
    """`a * b`."""
    if a.lo is None or b.lo is None:
        return Pair(value(a) * value(b), None)
    p, e = _two_product(a.hi, b.hi)
    return _fast_two_sum(p, e + (a.hi * b.lo + a.lo * b.hi))


def divide(a: Pair, b: Pair) -> Pair:
    """`a / b`."""
    if a.lo is None or b.lo is None:
        return Pair(value(a) / value(b), None)
    first = a.hi / b.hi
    rest = subtract(a, scale(b, first))
    return _fast_two_sum(first, value(rest) / b.hi)


def where(condition: Array, a: Pair, b: Pair) -> Pair:
    """Elementwise choice."""
    return Pair(*jax.tree.map(partial(jnp.where, condition), a, b))


@jax.custom_jvp
def total(a: Pair) -> Pair:
    """Sum along the first axis (kept, with length one), long plain sums in pairs too."""
    if a.lo is None and len(a.hi) <= _SHORT:
        gap = [(0, -len(a.hi) % _ROWS)] + [(0, 0)] * (a.hi.ndim - 1)
        table = jnp.pad(a.hi, gap).reshape(-1, _ROWS, *a.hi.shape[1:])
        return Pair(jnp.sum(jnp.sum(table, axis=0), axis=0, keepdims=True), None)
    if a.lo is None:
        return Pair(value(total(pair(a.hi))), None)
    n, rest = a.hi.shape[0], a.hi.shape[1:]
    blocks = -(-n // _ROWS)
    if blocks > 1:
        gap = [(0, blocks * _ROWS - n)] + [(0, 0)] * len(rest)
        rows = (jnp.pad(part, gap).reshape(blocks, _ROWS, *rest) for part in (a.hi, a.lo))
        start = pair(jnp.zeros((_ROWS, *rest), a.hi.dtype))
        a, _ = lax.scan(lambda carry, row: (add(carry, row), None), start, Pair(*rows))
    zero = np.zeros((), a.hi.dtype)
    summed = lax.reduce(
        (a.hi, a.lo), (zero, zero), lambda x, y: tuple(add(Pair(*x), Pair(*y))), (0,)
    )
    return Pair(*(part[None] for part in summed))


@total.defjvp
def _total_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    (a,), (da,) = primals, tangents
    return total(a), pair(jnp.sum(value(da), axis=0, keepdims=True), a)


def _small_expm1(f: Pair) -> Pair:
    """`exp(f) - 1` for |f| <= 0.6, relatively exact: the series, its head in pairs."""
    tail = jnp.full_like(f.hi, 1 / factorial(_EXP_TERMS))
    for k in range(_EXP_TERMS - 1, 2, -1):
        tail = tail * f.hi + 1 / factorial(k)
    square = multiply(f, f)
    return add(f, add(_map(lambda part: part / 2, square), pair(square.hi * f.hi * tail)))


def _log1p(x: Pair) -> Pair:
    """`log(1 + x)` for |x| <= 0.45, relatively exact near zero: one Newton step."""
    guess = jnp.log1p(x.hi)
    shrunk = _small_expm1(pair(-guess))
    # (1 + x) exp(-guess) - 1, whose own logarithm is the error of the guess
    error = add(add(x, shrunk), multiply(x, shrunk))
    rest = value(error)
    return add(pair(guess), add(error, pair(-0.5 * rest * rest)))


def _shifted(a: Pair, k: Array) -> Pair:
    """`a 2**k`, in two steps, since 2**k leaves the range of floats before the result does."""
    half = k // 2
    return _map(lambda part: jnp.ldexp(jnp.ldexp(part, half), k - half), a)


def _times_ln2(k: Array) -> Pair:
    return scale(constant(_LN2, k), k)


def _near_one(a: Pair) -> tuple[Pair, Array]:
    """Write positive finite `a` as `(1 + v) 2**k` with v in [-0.3, 0.42]: (v, k as a float)."""
    mantissa, exponent = jnp.frexp(a.hi)
    low = mantissa < np.sqrt(0.5)
    mantissa = jnp.where(low, 2 * mantissa, mantissa)
    k = exponent - low
    v = add(pair(mantissa), constant(-1, mantissa))
    low = _shifted(a, -k).lo
    return add(v, Pair(jnp.zeros_like(v.hi), low)), k.astype(a.hi.dtype)


def log_fraction(near: Array, a: Pair) -> Pair:
    """`log1p(a)` where `near`, with |a| <= 0.45, and `log(a)` elsewhere."""
    if a.lo is None:
        far = jnp.log(jnp.where(near, 1, a.hi))
        return Pair(jnp.where(near, jnp.log1p(jnp.where(near, a.hi, 0)), far), None)
    v, k = _near_one(where(near, constant(1, a.hi), a))
    return add(_times_ln2(jnp.where(near, 0, k)), _log1p(where(near, a, v)))


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def logarithm(x: Array, wide: bool = True) -> Pair:
    """`log(x)` of non-negative floats, as a pair or (`wide` false) as a plain number."""
    if not wide:
        return Pair(jnp.log(x), None)
    ordinary = (x > 0) & (x < jnp.inf)
    log = log_fraction(jnp.zeros_like(ordinary), pair(jnp.where(ordinary, x, 1)))
    return where(ordinary, log, pair(jnp.log(x)))


@logarithm.defjvp
def _logarithm_jvp(wide, primals, tangents):  # type: ignore[no-untyped-def]
    (x,), (dx,) = primals, tangents
    log = logarithm(x, wide)
    positive = x > 0  # elsewhere the derivative is left out: such an item carries no weight
    return log, pair(jnp.where(positive, dx / jnp.where(positive, x, 1), 0), log)


def log_of(a: Pair) -> Pair:
    """`log(a)` of a non-negative number."""
    if a.lo is None:
        return logarithm(a.hi, False)
    positive = a.hi > 0
    return add(logarithm(a.hi), pair(jnp.where(positive, a.lo / jnp.where(positive, a.hi, 1), 0)))


def exponential_parts(a: Pair) -> tuple[Pair, Pair]:
    """`exp(a) - 1`, of use where |a| <= 0.34 (half of log 2), and `exp(a)`, both of finite `a`."""
    if a.lo is None:
        return Pair(jnp.expm1(a.hi), None), Pair(jnp.exp(a.hi), None)
    k = jnp.round(a.hi / float(_LN2))
    v = _small_expm1(subtract(a, _times_ln2(k)))
    return v, _shifted(add(constant(1, v.hi), v), k.astype(jnp.int32))


@jax.custom_jvp
def exponential(a: Pair) -> Array:
    """`exp(a)`, rounded to one float; underflows to zero and overflows to infinity like a float."""
    if a.lo is None:
        return jnp.exp(a.hi)
    limit = 1.5 * float(np.log(float(jnp.finfo(a.hi.dtype).max)))
    finite = where(jnp.abs(a.hi) < limit, a, pair(jnp.clip(a.hi, -limit, limit)))
    return value(exponential_parts(finite)[1])


@exponential.defjvp
def _exponential_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    (a,), (da,) = primals, tangents
    grown = exponential(a)
    return grown, grown * value(da)


@jax.custom_jvp
def expm1(a: Pair) -> Array:
    """`exp(a) - 1`, rounded to one float, relatively exact near zero."""
    if a.lo is None:
        return jnp.expm1(a.hi)
    small = jnp.abs(a.hi) <= 0.35
    near = _small_expm1(where(small, a, pair(jnp.zeros_like(a.hi))))
    return jnp.where(small, value(near), exponential(a) - 1)


@expm1.defjvp
def _expm1_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    (a,), (da,) = primals, tangents
    return expm1(a), exponential(a) * value(da)
