"""Ctrl-C while work lies outside of Python: in kernels in C, or in XLA."""

import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, TypeVar

import jax

from lcrjax import native

_T = TypeVar("_T")
_PATIENCE = 0.5  # seconds in which kernels in a program give up; XLA's own loops never do
_GLANCE = 0.1  # seconds between two looks for signals
_lock = threading.Lock()
_given_up: set[Future[Any]] = set()


def interruptible(
    work: Callable[[], _T],
    patience: float | None = None,
    glance: Callable[[], None] = lambda: None,
) -> _T:
    """Do work of C or XLA, and let the main thread hear signals meanwhile.

    Python runs the handlers of signals in the main thread, between two steps of its own and never
    within a call. There the work is done by another thread therefore, and if a handler raises, as
    that of Ctrl-C does, all kernels of the process are told to give up: each ends with an error,
    within a fraction of a second. In other threads it is a plain call.

    Args:
        work: What waits for C or XLA, with Python's lock released.
        patience: Seconds to wait for the end of work that was given up; None for as many as it
            takes.
        glance: Called ten times a second meanwhile; what it raises ends the work as Ctrl-C does.

    Returns:
        What `work` returns.

    Raises:
        BaseException: What `work`, `glance` or the handler of a signal raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    future: Future[_T] = Future()
    thread = threading.Thread(target=_do, args=(work, future))
    try:
        thread.start()
        # A signal that another thread receives does not end a wait, and a `join` that one ends
        # takes the thread for stopped.
        while not wait([future], _GLANCE).done:
            glance()
    except BaseException:
        if _mark(future, give_up=True):
            wait([future], patience)
            _mark(future, give_up=False)
        if future.done():
            thread.join()
        raise
    thread.join()
    return future.result()


def ready(tree: Any) -> Any:
    """Wait until arrays are computed, as `jax.block_until_ready`, and hear signals meanwhile."""
    arrays: list[Any] = [x for x in jax.tree.leaves(tree) if hasattr(x, "is_ready")]
    if not all(x.is_ready() for x in arrays):
        interruptible(partial(jax.block_until_ready, arrays), _PATIENCE)
    return tree


def _do(work: Callable[[], _T], future: "Future[_T]") -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
    _mark(future, give_up=False)


def _mark(future: "Future[Any]", *, give_up: bool) -> bool:
    """Raise the flag of the kernels for work that has not ended, or lower it; say whether it is."""
    library = native.library()
    with _lock:
        if give_up and not future.done():
            _given_up.add(future)
        else:
            _given_up.discard(future)
        if not isinstance(library, native.Absence):
            ctypes.c_int.in_dll(library, "lcrjax_cancelled").value = bool(_given_up)
        return future in _given_up
