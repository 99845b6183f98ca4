"""Kernels that are called with NumPy's arrays: nothing is compiled, padded or copied."""

import ctypes
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Num

from lcrjax.native import function, library, threads
from lcrjax.native.interrupts import interruptible

#: The forms of similarities that kernels compute, numbered as in `src/pairwise/form.h`.
FORMS = ("exponential", "gaussian", "matern32", "matern52", "cosine", "linear")
ANGLES = FORMS[4:]  # that kernels for AVX2 compute more slowly than XLA
SIDE = 96  # as in `src/pairwise/sums.h`
NO_MEMORY, CANCELLED = 1, 2  # as in `src/common/ffi.h`
SOON = 2**28  # components of pairs: less work ends before Ctrl-C has to be heard


def sums(
    elements: Num[np.ndarray, "n d"],
    others: Num[np.ndarray, "m d"] | None,
    weights: Float[np.ndarray, "m k"],
    form: str,
    rate: float,
    at_once: int | None = None,
    split: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Float[np.ndarray, "n k"]:
    """Compute Z w by the kernels that XLA calls as well.

    Args:
        elements: Both uint8, or both float32 and finite.
        others: None for `elements`.
        weights: float32, k >= 1.
        form: One of `FORMS`.
        rate: The form's.
        at_once: Threads; None for one for each processor.
        split: A multiple of `SIDE`: only the elements before it are compared with those from it
            on, each pair once, and sums of both are returned. 0 to compare all.
        progress: Told now and then the share of all pairs that is compared; what it raises ends
            the work.

    Returns:
        float32; the same bits for any number of threads.

    Raises:
        RuntimeError: If kernels are not available.
        MemoryError: If there is no memory for the packed elements.
        KeyboardInterrupt: If Ctrl-C was heard, here or by the main thread while this one worked.
    """
    rows = np.ascontiguousarray(elements)
    columns = None if others is None else np.ascontiguousarray(others)
    table = np.ascontiguousarray(weights.T, np.float32)
    out = np.empty((len(table), len(rows)), np.float32)

    def call() -> int:  # holds the arrays for as long as it lasts
        return function("sums_now")(
            ctypes.c_int(rows.dtype != np.uint8),
            ctypes.c_void_p(rows.ctypes.data), ctypes.c_int64(len(rows)),
            ctypes.c_void_p(None if columns is None else columns.ctypes.data),
            ctypes.c_int64(table.shape[1]), ctypes.c_int64(split), ctypes.c_int64(rows.shape[1]),
            ctypes.c_void_p(table.ctypes.data), ctypes.c_int64(len(table)),
            ctypes.c_int(FORMS.index(form)), ctypes.c_float(rate),
            ctypes.c_int(at_once or threads()), ctypes.c_void_p(out.ctypes.data),
        )  # fmt: skip

    soon = len(rows) * table.shape[1] * rows.shape[1] < SOON
    if soon:
        outcome = call()
    elif progress is None:
        outcome = interruptible(call)
    else:
        share = _share_compared(len(rows), None if columns is None else len(columns), split)
        outcome = interruptible(call, glance=lambda: progress(share()))
    if outcome == CANCELLED:
        raise KeyboardInterrupt
    if outcome == NO_MEMORY:
        raise MemoryError(f"no memory for a packed copy of {len(rows):,} elements")
    return out.T


def _share_compared(n: int, others: int | None, split: int) -> Callable[[], float]:
    """What says which share of the pairs of one call is compared, by the count of the process."""
    if others is not None:
        pairs = n * others
    else:
        pairs = split * (n - split) if split else n * (n + SIDE) // 2
    count = ctypes.c_longlong.in_dll(library(), "lcrjax_pairs")  # type: ignore[arg-type]
    before = count.value
    return lambda: min(1.0, (count.value - before) / pairs)
