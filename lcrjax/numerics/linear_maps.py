"""Linear maps that bring their own transpose: derivatives forward and back of loops.

jax transposes no loop whose length it does not know while it traces, and keeps all that a loop
computes where it does. A map given both ways needs neither. `jax.custom_vjp` would refuse forward
mode, and `jax.custom_derivatives.linear_call` vmap and second derivatives.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Map = Callable[..., list[Array]]

_primitive = Primitive("linear_map")
_primitive.multiple_results = True


def linear_map(
    forward: Map, backward: Map, residuals: Sequence[Array], given: Sequence[Array]
) -> list[Array]:
    """Apply `forward(*residuals, *given)`, linear in what is given, all of it floats.

    Args:
        forward: Returns a list of float arrays.
        backward: Its transpose, `backward(*residuals, *cotangents)`: a list with one array for each
            of those given. Neither may close over traced arrays.
        residuals: What the map depends on otherwise, in which `forward` and `backward` have
            derivatives by forward mode.
        given: What it is applied to.
    """
    return _bind(forward, backward, len(residuals), *residuals, *given)


def _bind(forward: Map, backward: Map, fixed: int, *arguments: Any) -> list[Array]:
    return _primitive.bind(*arguments, forward=forward, backward=backward, fixed=fixed)


def _apply(*arguments: Any, forward: Map, backward: Map, fixed: int) -> list[Array]:
    return forward(*arguments)


@_primitive.def_impl
def _run(*arguments: Any, forward: Map, backward: Map, fixed: int) -> list[Array]:
    return jax.jit(forward)(*arguments)


@_primitive.def_abstract_eval
def _shapes(*arguments: Any, forward: Map, backward: Map, fixed: int) -> list[ShapedArray]:
    return list(jax.make_jaxpr(forward)(*arguments).out_avals)


mlir.register_lowering(_primitive, mlir.lower_fun(_apply, multiple_results=True))


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], forward: Map, backward: Map, fixed: int
) -> tuple[list[Any], list[Any]]:
    along = [ad.instantiate_zeros(t) for t in tangents[fixed:]]
    change = _bind(forward, backward, fixed, *primals[:fixed], *along)
    moving = [i for i in range(fixed) if type(tangents[i]) is not ad.Zero]
    if moving:

        def elsewhere(*places: Any) -> list[Array]:
            moved = dict(zip(moving, places, strict=True))
            return forward(*(moved.get(i, x) for i, x in enumerate(primals)))

        here, there = ([x[i] for i in moving] for x in (primals, tangents))
        _, more = jax.jvp(elsewhere, here, there)
        change = [a + b for a, b in zip(change, more, strict=True)]
    return _bind(forward, backward, fixed, *primals), change


def _transpose(
    cotangents: Sequence[Any], *arguments: Any, forward: Map, backward: Map, fixed: int
) -> list[Any]:
    whole = [ad.instantiate_zeros(ct) for ct in cotangents]
    found = _bind(backward, forward, fixed, *arguments[:fixed], *whole)
    wanted = [ad.is_undefined_primal(x) for x in arguments[fixed:]]
    return [None] * fixed + [x if w else None for x, w in zip(found, wanted, strict=True)]


def _batched(
    arguments: Sequence[Any], axes: Sequence[Any], forward: Map, backward: Map, fixed: int
) -> tuple[list[Any], list[int]]:
    size = next(x.shape[a] for x, a in zip(arguments, axes, strict=True) if a is not None)
    first = [
        x if a is None else jnp.moveaxis(x, a, 0) for x, a in zip(arguments, axes, strict=True)
    ]
    own = [None if a is None else 0 for a in axes[:fixed]]
    for i in range(fixed, len(axes)):  # whose cotangents differ from item to item
        if axes[i] is None:
            first[i] = jnp.broadcast_to(first[i], (size, *first[i].shape))

    def mapped(function: Map) -> Map:
        def one(*each: Any) -> list[Array]:
            return jax.vmap(function, (*own, *(0,) * (len(each) - fixed)))(*each)

        return one

    out = _bind(mapped(forward), mapped(backward), fixed, *first)
    return out, [0] * len(out)


ad.primitive_jvps[_primitive] = _jvp
ad.primitive_transposes[_primitive] = _transpose
batching.primitive_batchers[_primitive] = _batched
