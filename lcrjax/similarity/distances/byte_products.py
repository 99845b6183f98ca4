"""Matrix products of bytes in int32, on the widest integer units that a processor has.

XLA's CPU library multiplies unsigned by signed bytes with AVX-512 VNNI or AMX instructions, several
times faster than signed by signed ones where there is no AMX. `lax.dot_general` cannot ask for it,
since it widens mixed operands first. Hence a primitive of our own, whose lowering keeps them as
they are. Without these instructions (AVX2, arm64) the library has loops for signed bytes alone, and
multiplies mixed ones one by one, nine times slower.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import stablehlo
from jax.interpreters import batching, mlir
from jaxtyping import Int, Int8, UInt8

from lcrjax.numerics.processors import x86_instructions

_primitive = Primitive("byte_product")


def byte_product(
    rows: UInt8[Array, "*batch a d"], columns: Int8[Array, "*batch b d"]
) -> Int[Array, "*batch a b"]:
    """Inner products of every row and every column, exact while they fit an int32.

    Args:
        rows: Unsigned bytes.
        columns: Signed bytes.

    Returns:
        The products as int32. Without derivatives.
    """
    return _primitive.bind(rows, columns)


def signed(values: UInt8[Array, "*shape"]) -> Int8[Array, "*shape"]:
    """`values - 128`, by turning a bit."""
    return lax.bitcast_convert_type(values ^ np.uint8(128), jnp.int8)


def _dimensions(rank: int) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]]]:
    batch = list(range(rank - 2))
    return ([rank - 1], [rank - 1]), (batch, batch)


@_primitive.def_impl
def _run(rows: Array, columns: Array) -> Array:
    with jax.disable_jit(False):  # it has no other form than a compiled one
        return jax.jit(_primitive.bind)(rows, columns)


@_primitive.def_abstract_eval
def _shape(rows: Any, columns: Any) -> ShapedArray:
    return ShapedArray((*rows.shape[:-1], columns.shape[-2]), jnp.int32)


def _lower_mixed(ctx: Any, rows: Any, columns: Any) -> list[Any]:
    (contracted, batch) = _dimensions(len(ctx.avals_in[0].shape))
    numbers = stablehlo.DotDimensionNumbers.get(
        lhs_batching_dimensions=batch[0],
        rhs_batching_dimensions=batch[1],
        lhs_contracting_dimensions=contracted[0],
        rhs_contracting_dimensions=contracted[1],
    )
    out = ir.RankedTensorType.get(ctx.avals_out[0].shape, ir.IntegerType.get_signless(32))
    return [stablehlo.dot_general(out, rows, columns, numbers)]


def _signed_product(rows: Array, columns: Array) -> Array:
    """The same from signed bytes alone, as GPUs and most processors multiply them."""
    product = lax.dot_general(
        signed(rows), columns, _dimensions(rows.ndim), preferred_element_type=jnp.int32
    )
    return product + 128 * jnp.sum(columns, axis=-1, dtype=jnp.int32)[..., None, :]


_lower_signed = mlir.lower_fun(_signed_product, multiple_results=False)


def _lower_on_cpu(*given: Any) -> Any:
    # Where the instructions are unknown: signed bytes lose half with VNNI, mixed ones 7/8 without.
    mixed = (x86_instructions() or set()) & {"avx512_vnni", "amx_int8"}
    return (_lower_mixed if mixed else _lower_signed)(*given)


mlir.register_lowering(_primitive, _lower_signed)
mlir.register_lowering(_primitive, _lower_on_cpu, platform="cpu")


def _batched(arguments: Sequence[Any], axes: Sequence[Any]) -> tuple[Array, int]:
    size = next(x.shape[a] for x, a in zip(arguments, axes, strict=True) if a is not None)
    rows, columns = (
        jnp.broadcast_to(x, (size, *x.shape)) if a is None else jnp.moveaxis(x, a, 0)
        for x, a in zip(arguments, axes, strict=True)
    )
    return byte_product(rows, columns), 0


batching.primitive_batchers[_primitive] = _batched
