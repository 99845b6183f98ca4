"""Arrays inside `jax.shard_map` and under explicit meshes, whose types say how they are spread."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from lcrjax.numerics.arrays import at_hand


def is_spread(x: Any) -> bool:
    """Whether an array of jax lies on several devices, a shard on each."""
    if not isinstance(x, jax.Array) or isinstance(x, jax.core.Tracer):
        return False
    return len(x.sharding.device_set) > 1 and not x.is_fully_replicated


def whole(tree: Any) -> Any:
    """Let every device hold all of each array, where a mesh is explicit; else as it is.

    Loops over tiles take slices that no single device has. Where no mesh is set, arrays of an
    explicit one come to one of its devices; those of which other processes hold shards stay.

    Raises:
        ValueError: If they are traced, and their mesh is not set.
    """

    def one(x: Any) -> Any:
        if not isinstance(x, jax.Array):
            return x
        sharding: Any = getattr(jax.typeof(x), "sharding", None)
        if sharding is None or AxisType.Explicit not in sharding.mesh.axis_types:
            return x
        spread = any(part is not None for part in sharding.spec)
        if not jax.sharding.get_abstract_mesh().empty:
            return jax.sharding.reshard(x, PartitionSpec()) if spread else x
        if at_hand(x):
            if spread and not x.is_fully_addressable:
                return x
            # Put on one device, an array would keep the type that it has on the mesh.
            everywhere = NamedSharding(sharding.mesh, PartitionSpec())
            return jax.sharding.reshard(x, everywhere).addressable_data(0)
        if spread:
            raise ValueError(
                "arrays are traced, and spread over a mesh that is not set: compute under "
                "jax.set_mesh(mesh), or give arrays of one device"
            )
        return x

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
