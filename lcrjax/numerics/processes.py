"""Processes: those that compute together, and those that were forked after jax had started."""

import os
from typing import Any

import jax
import numpy as np

_started = _forked = False


def check_process() -> None:
    """Check that jax computes in this process.

    A fork copies a process without its threads, of which jax has many: the child waits for them
    for ever. Public functions ask before they touch jax.

    Raises:
        RuntimeError: If jax had started when this process was forked.
    """
    if _forked:
        raise RuntimeError(
            "this process was forked after jax had started, whose threads it lacks: start "
            'processes with multiprocessing.get_context("spawn") (of PyTorch\'s DataLoader: '
            'multiprocessing_context="spawn"), or before lcrjax computes anything'
        )


def _before() -> None:
    global _started
    bridge: Any = getattr(jax._src, "xla_bridge", None)  # the one way to ask without starting jax
    _started = getattr(bridge, "backends_are_initialized", bool)()


def _in_child() -> None:
    global _forked
    _forked = _forked or _started


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_in_child)


def several() -> bool:
    """Whether processes compute together, as `jax.distributed.initialize` lets them."""
    return jax.process_count() > 1


def of_all(own: Any) -> np.ndarray:
    """Every process's numbers, one process's after another's, as many of each; or a sharded array.

    Args:
        own: An array of NumPy; or of jax, then all of it is brought to every host.
    """
    if not several():
        return np.asarray(own)
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(own, tiled=True))


def check_agreed(numbers: dict[str, int]) -> None:
    """Check that all processes have the same numbers.

    Args:
        numbers: What is counted, in the plural, and how many of them this process has.

    Raises:
        ValueError: If they do not, saying what each has; in all processes alike.
    """
    if not several():
        return
    table = of_all(np.asarray([list(numbers.values())], np.uint32))
    for name, column in zip(numbers, table.T, strict=True):
        if len(set(column.tolist())) > 1:
            each = ", ".join(f"process {i} has {count}" for i, count in enumerate(column))
            raise ValueError(f"processes disagree about {name}, {each}: give all of them the same")
