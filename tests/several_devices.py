"""Public functions of arrays on four devices: sharded, under an explicit mesh, inside shard_map."""

import os

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
)

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from tests.public_calls import TRACEABLE

TRACED = ("gradient", "batch")
SPREAD, WHOLE = PartitionSpec("d"), PartitionSpec()


def mesh(kind):
    return jax.make_mesh((4,), ("d",), axis_types=(kind,))


def placed(array, on=None):
    """Rows over the devices, where there are enough of them."""
    spec = SPREAD if np.ndim(array) and len(array) % 4 == 0 else WHOLE
    return jax.device_put(array, spec if on is None else NamedSharding(on, spec))


def sharded(call, *given):
    return call(*(placed(x, mesh(AxisType.Auto)) for x in given))


def explicit(call, *given):
    with jax.set_mesh(mesh(AxisType.Explicit)):
        return jax.jit(call)(*(placed(x) for x in given))


def explicit_eagerly(call, *given):
    with jax.set_mesh(mesh(AxisType.Explicit)):
        return call(*(placed(x) for x in given))


def explicit_unset(call, *given):
    return call(*(placed(x, mesh(AxisType.Explicit)) for x in given))


def each_device_its_own(call, *given):
    def one(*parts):
        return jax.tree.map(lambda y: y[None], call(*(x[0] for x in parts)))

    every = jax.shard_map(one, mesh=mesh(AxisType.Auto), in_specs=SPREAD, out_specs=SPREAD)
    found = jax.jit(every)(*(np.stack([x] * 4) for x in given))
    return jax.tree.map(lambda y: y[2], found)


def main():
    failed = 0
    for name, (call, *given) in TRACEABLE.items():
        wanted = jax.tree.leaves(call(*given))
        for way in (
            sharded,
            explicit,
            explicit_eagerly,
            explicit_unset,
            each_device_its_own,
        ):
            try:
                for one, other in zip(jax.tree.leaves(way(call, *given)), wanted, strict=True):
                    np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
            except Exception as error:  # all of them are told
                if way is explicit_unset and name in TRACED:
                    continue  # arrays are traced in them, which takes a mesh that is set
                failed += 1
                print(f"{name}, {way.__name__}: {type(error).__name__}: {error}"[:400], flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
