"""Arrays inside `jax.shard_map` and under explicit meshes, whose types say how they are spread."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import PartitionSpec

from lcrjax.numerics.arrays import at_hand


def whole(tree: Any) -> Any:
    """Let every device hold all of each array, where a mesh is explicit; else as it is.

    Loops over tiles take slices that no single device has.
    """

    def one(x: Any) -> Any:
        if not isinstance(x, jax.Array):
            return x
        spec = getattr(getattr(jax.typeof(x), "sharding", None), "spec", None) or ()
        spread = any(part is not None for part in spec)
        return jax.sharding.reshard(x, PartitionSpec()) if spread else x

    return jax.tree.map(one, tree)


def spread(tree: Any) -> Any:
    """Both: every array whole, and all of them varying alike."""
    tree = whole(tree)
    return alike(tree, tree)


def alike(tree: Any, *others: Any) -> Any:
    """Let arrays vary over the axes of `shard_map` over which they or any of the others do.

    What a loop begins with has to vary as what it ends with.
    """
    leaves = jax.tree.leaves((tree, others))
    if at_hand(*leaves):  # outside of `shard_map`
        return tree
    all_axes = frozenset[Any]().union(*(axes(x) for x in leaves))

    def one(x: Any) -> Any:
        new = tuple(all_axes - axes(x))
        return lax.pcast(jnp.asarray(x), new, to="varying") if new else x

    return jax.tree.map(one, tree) if all_axes else tree


def axes(x: Any) -> frozenset[Any]:
    """Axes of `shard_map` over which an array varies."""
    kind = jax.typeof(x)
    if hasattr(kind, "manual_axis_type"):
        return frozenset(kind.manual_axis_type.varying)
    return frozenset(getattr(kind, "vma", ()))  # as jax 0.10.1 has it
