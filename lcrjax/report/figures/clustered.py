"""Similarity matrices in an order that brings soft clusters of images into view (Fig. 2)."""

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import leaves_list, linkage


def balanced_sample(
    labels: Int[np.ndarray, " images"], count: int = 128, *, seed: int = 0
) -> Int[np.ndarray, " sample"]:
    """Choose images at random, as many of each class as of every other where there are so many.

    Args:
        labels: Class of each image.
        count: Number of images wanted; all are taken where there are no more.
        seed: The same seed gives the same sample.

    Returns:
        Indices, in ascending order.

    Raises:
        ValueError: If `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"count is {count}: ask for one image at least")
    labels = np.asarray(labels)
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    # An image's turn is its place among those of its class; first turns are taken first.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    turns = np.empty(len(labels), int)
    turns[by_class] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return np.sort(shuffled[np.argsort(turns[shuffled], kind="stable")][:count])


def cluster_order(z: ArrayLike) -> Int[np.ndarray, " n"]:
    """Order elements so that those similar to the same others lie side by side.

    Average linkage on the Euclidean distances between rows of Z, as in the paper, and leaves in
    the order that keeps neighbours most alike. A fraction of a second for a few hundred elements;
    time grows with n³.

    Args:
        z: Similarities, (n, n).

    Returns:
        A permutation: `z[order][:, order]` shows the clusters along its diagonal.

    Raises:
        ValueError: If `z` is not a square matrix of finite numbers.

    References:
        Paper, section II-F and Fig. 2; Bar-Joseph et al. (2001) for the order of leaves.
    """
    z = np.asarray(z, np.float64)
    if z.ndim != 2 or z.shape[0] != z.shape[1]:
        raise ValueError(f"the similarity matrix has shape {z.shape}: it must be square")
    if not np.all(np.isfinite(z)):
        raise ValueError("the similarity matrix holds NaN or infinity: remove it")
    if len(z) < 3:
        return np.arange(len(z))
    return leaves_list(linkage(z, method="average", metric="euclidean", optimal_ordering=True))
