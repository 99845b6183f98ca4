"""Kernels that are called with NumPy's arrays: nothing is compiled, padded or copied."""

import ctypes

import numpy as np
from jaxtyping import Float, Int, Num, UInt8

from lcrjax.native import function, threads

#: A squared distance of more pixels need not fit an int32.
MOST_PIXELS = 33_025
_COPIES = 2**30  # bytes, of the subsets that all threads work on, unless one alone takes more


def sums(
    elements: Num[np.ndarray, "n d"],
    others: Num[np.ndarray, "m d"] | None,
    weights: Float[np.ndarray, "m k"],
    profile: int,
    rate: float,
    at_once: int | None = None,
) -> Float[np.ndarray, "n k"]:
    """Compute Z w by the kernels that XLA calls as well.

    Args:
        elements: Both uint8, or both float32 and finite.
        others: None for `elements`.
        weights: float32, k >= 1.
        profile: Place in `lcrjax.pairwise.kernels.PROFILES`.
        rate: The profile's.
        at_once: Threads; None for one for each processor.

    Returns:
        float32; the same bits for any number of threads.

    Raises:
        RuntimeError: If kernels are not available.
        MemoryError: If there is no memory for the packed elements.
    """
    rows = np.ascontiguousarray(elements)
    columns = None if others is None else np.ascontiguousarray(others)
    table = np.ascontiguousarray(weights.T, np.float32)
    out = np.empty((len(table), len(rows)), np.float32)
    failed = function("sums_now")(
        ctypes.c_int(rows.dtype != np.uint8),
        ctypes.c_void_p(rows.ctypes.data), ctypes.c_int64(len(rows)),
        ctypes.c_void_p(None if columns is None else columns.ctypes.data),
        ctypes.c_int64(table.shape[1]), ctypes.c_int64(rows.shape[1]),
        ctypes.c_void_p(table.ctypes.data), ctypes.c_int64(len(table)),
        ctypes.c_int(profile), ctypes.c_float(rate), ctypes.c_int(at_once or threads()),
        ctypes.c_void_p(out.ctypes.data),
    )  # fmt: skip
    if failed:
        raise MemoryError(f"no memory for a packed copy of {len(rows):,} elements")
    return out.T


def subset_sums(
    images: UInt8[np.ndarray, "N d"],
    subsets: Int[np.ndarray, "k n"],
    classes: Int[np.ndarray, "k n"],
    factor: float,
    at_once: int | None = None,
) -> tuple[Float[np.ndarray, "k n"], Float[np.ndarray, "k n"]]:
    r"""Sum $\exp(-f \lVert x_i - x_j\rVert)$ over each image's class and over its subset.

    The image itself is counted. Distances are exact; a similarity has a relative error of 2e-7,
    sums are held in doubles. Memory: two copies of a subset for each thread, 1 GiB as a rule.

    Args:
        images: At most `MOST_PIXELS` pixels each.
        subsets: Indices of images.
        classes: Class of each member.
        factor: f > 0, for pixels from 0 to 255.
        at_once: Threads; None for one for each processor.

    Returns:
        Sums over the class, and over the subset; the same bits for any number of threads.

    Raises:
        RuntimeError: If kernels are not available.
        MemoryError: If there is no memory for the copies.
    """
    given = (
        np.ascontiguousarray(images, np.uint8),
        np.ascontiguousarray(subsets, np.int32),
        np.ascontiguousarray(classes, np.int32),
    )
    own, everyone = np.empty(subsets.shape), np.empty(subsets.shape)
    copy = 2 * subsets.shape[1] * images.shape[1]
    most = max(1, min(at_once or threads(), _COPIES // copy))
    at = [ctypes.c_void_p(array.ctypes.data) for array in (*given, own, everyone)]
    failed = function("subset_sums")(
        at[0], ctypes.c_int64(images.shape[1]), at[1], at[2],
        ctypes.c_int64(subsets.shape[0]), ctypes.c_int64(subsets.shape[1]),
        ctypes.c_float(factor), ctypes.c_int(most), at[3], at[4],
    )  # fmt: skip
    if failed:
        raise MemoryError(f"no memory for copies of subsets of {subsets.shape[1]} images")
    return own, everyone
