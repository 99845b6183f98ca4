"""Kernels that are called with NumPy's arrays: nothing is compiled, padded or copied."""

import ctypes
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Num

from lcrjax.native import function, library, threads
from lcrjax.native.interrupts import interruptible

#: The forms of similarities that kernels compute, numbered as in `src/pairwise/form.h`.
FORMS = ("exponential", "gaussian", "matern32", "matern52", "cosine", "linear")
SIDE = 96  # as in `src/pairwise/sums.h`
NO_MEMORY, CANCELLED = 1, 2  # as in `src/common/ffi.h`
_MOST = 2**31 - 1  # elements, whose places are int32
SOON = 2**28  # components of pairs: less work ends before Ctrl-C has to be heard


def checked(elements: Num[np.ndarray, "n d"]) -> Num[np.ndarray, "n d"]:
    """Elements as kernels read them, one row after another.

    Raises:
        ValueError: If they are none, so that a kernel would read beyond them.
    """
    if elements.ndim != 2 or not elements.shape[1] or elements.dtype not in (np.uint8, np.float32):
        raise ValueError(
            f"kernels are given {elements.dtype} of shape {elements.shape}: give bytes or float32, "
            "(n, d)"
        )
    if len(elements) > _MOST:
        raise ValueError(f"kernels are given {len(elements):,} elements: give at most {_MOST:,}")
    return np.ascontiguousarray(elements)


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
        ValueError: If shapes, dtypes or the split do not fit together.
        RuntimeError: If kernels are not available.
        MemoryError: If there is no memory for the packed elements.
        KeyboardInterrupt: If Ctrl-C was heard, here or by the main thread while this one worked.
    """
    rows = checked(elements)
    columns = None if others is None else checked(others)
    last = rows if columns is None else columns
    if last.dtype != rows.dtype or last.shape[1] != rows.shape[1]:
        raise ValueError(
            f"kernels are given {rows.dtype} of shape {rows.shape} and others {last.dtype} of "
            f"shape {last.shape}: give one dtype and one number of components"
        )
    if weights.ndim != 2 or len(weights) != len(last) or not weights.shape[1]:
        raise ValueError(
            f"kernels are given {len(last):,} elements and weights of shape {weights.shape}: give "
            "one row for each, of one column at least"
        )
    if split % SIDE or not 0 <= split <= (len(rows) if columns is None else 0):
        raise ValueError(
            f"kernels are given the split {split:,} of {len(rows):,} elements: give a multiple of "
            f"{SIDE} among them, and no others"
        )
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
