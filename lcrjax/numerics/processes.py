"""Processes that were forked after jax had started, in which nothing can be computed."""

import os
from typing import Any

import jax

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
