"""Networks made from modules of Flax NNX."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array

from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.training.networks.protocol import ImageShape, Network


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ModuleStatistics:
    """Statistics of a module's batch normalisation, and the static half of the module.

    Attributes:
        values: Nested dictionary of arrays.
        graph: What `nnx.split` leaves without arrays; static.
    """

    values: Any
    graph: nnx.GraphDef = dataclasses.field(metadata={"static": True})


def from_nnx(make: Callable[[ImageShape, int, nnx.Rngs], nnx.Module], name: str) -> Network:
    """Make a network from a module.

    Args:
        make: ((height, width, channels), classes, rngs) -> a module whose arrays are `nnx.Param`
            and `nnx.BatchStat`. It is called as module(images, weights): with one weight per
            image, zero for padding, in training, and with None in inference. `nnx.BatchNorm`
            serves with `momentum=0.0`, for statistics are those of a batch, and a `mask` where
            weights are zero.
        name: What the network is called in records.

    Returns:
        The network. Its weights and statistics are nested dictionaries.

    Raises:
        ValueError: On drawing weights, if the module has state of another kind.
    """

    def init(key: Array, shape: ImageShape, n_classes: int) -> tuple[Any, ModuleStatistics]:
        module = make(shape, n_classes, nnx.Rngs(key))
        split: Any = nnx.split(module, nnx.Param, nnx.BatchStat, ...)
        graph, params, statistics, rest = split
        if jax.tree.leaves(rest):
            raise ValueError(
                f"the module of {name} holds {sorted(nnx.to_pure_dict(rest))} besides nnx.Param "
                "and nnx.BatchStat: leave out dropout and counters"
            )
        return nnx.to_pure_dict(params), ModuleStatistics(nnx.to_pure_dict(statistics), graph)

    def apply(
        params: Any, statistics: ModuleStatistics, images: Array, weights: Array, training: bool
    ) -> tuple[Array, ModuleStatistics]:
        module: Any = nnx.merge(statistics.graph, params, statistics.values, {}, copy=True)
        logits = module(images, weights if training else None)
        found = nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))
        return logits, dataclasses.replace(statistics, values=found)

    return Network(name, init, apply)
