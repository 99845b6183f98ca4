"""Similarities within many small subsets of images of bytes, by a kernel of our own."""

import ctypes

import numpy as np
from jaxtyping import Float, Int, UInt8

from lcrjax.native import function, threads

#: A squared distance of more pixels need not fit an int32.
MOST_PIXELS = 33_025
_COPIES = 2**30  # bytes, of the subsets that all threads work on, unless one alone takes more


def subset_sums(
    images: UInt8[np.ndarray, "N d"],
    subsets: Int[np.ndarray, "k n"],
    classes: Int[np.ndarray, "k n"],
    factor: float,
) -> tuple[Float[np.ndarray, "k n"], Float[np.ndarray, "k n"]]:
    r"""Sum $\exp(-f \lVert x_i - x_j\rVert)$ over each image's class and over its subset.

    The image itself is counted. Distances are exact; a similarity has a relative error of 2e-7,
    sums are held in doubles. Memory: two copies of a subset for each thread, 1 GiB as a rule.

    Args:
        images: At most `MOST_PIXELS` pixels each.
        subsets: Indices of images.
        classes: Class of each member.
        factor: f > 0, for pixels from 0 to 255.

    Returns:
        Sums over the class, and over the subset.

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
    most = max(1, min(threads(), _COPIES // copy))
    at = [ctypes.c_void_p(array.ctypes.data) for array in (*given, own, everyone)]
    failed = function("subset_sums")(
        at[0], ctypes.c_int64(images.shape[1]), at[1], at[2],
        ctypes.c_int64(subsets.shape[0]), ctypes.c_int64(subsets.shape[1]),
        ctypes.c_float(factor), ctypes.c_int(most), at[3], at[4],
    )  # fmt: skip
    if failed:
        raise MemoryError(f"no memory for copies of subsets of {subsets.shape[1]} images")
    return own, everyone
