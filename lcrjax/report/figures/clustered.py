"""Similarity matrices in an order that brings soft clusters of images into view (Fig. 2)."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import leaves_list, linkage

from lcrjax.data import Dataset
from lcrjax.measures.labelled import measure
from lcrjax.measures.result import Diversity
from lcrjax.numerics.memory import check_room
from lcrjax.pairwise import ordinariness
from lcrjax.similarity import RMSD, Precomputed, Similarity
from lcrjax.similarity.spec import as_similarity


class Clustered(NamedTuple):
    """A class-balanced sample of training elements in the order of its clusters.

    Attributes:
        places: Place of each among the training elements.
        elements: The elements.
        labels: Their classes.
        z: Their similarities.
        shown: Lowest and highest similarity that a picture of `z` tells apart; few are higher.
        found: Diversity of the sample at q = 1.
    """

    places: Int[np.ndarray, " n"]
    elements: Any
    labels: Int[np.ndarray, " n"]
    z: Float[np.ndarray, "n n"]
    shown: tuple[float, float]
    found: Diversity


def clustered_sample(
    dataset: Dataset, count: int, *, similarity: Similarity | str | None = None, seed: int = 0
) -> Clustered:
    """Compare a class-balanced sample of a dataset's training elements, and cluster it.

    Args:
        dataset: Where they are from.
        count: Size of the sample, at least 2.
        similarity: None for RMSD.
        seed: Seed of the sample.
    """
    index = balanced_sample(dataset.train_labels, count, seed=seed)
    alike, elements, _ = as_similarity(
        RMSD() if similarity is None else similarity, dataset.train.elements
    )
    all_of_it = dataclasses.replace(dataset.train, elements=elements)
    check_room(12 * 4 * len(index) ** 2, f"similarities of a sample of {len(index):,} images")
    same = np.eye(len(index), dtype=np.float32)
    if isinstance(alike, Precomputed):  # which knows its own elements, all of them
        chosen = np.zeros((len(all_of_it), len(index)), np.float32)
        chosen[index, np.arange(len(index))] = 1
        z = np.asarray(ordinariness(elements, chosen, alike))[index]
    else:
        z = np.asarray(ordinariness(all_of_it.take(index).elements, same, alike))
    order = cluster_order(z)
    z, index = z[order][:, order], index[order]
    part = all_of_it.take(index)
    apart = z[same == 0]
    shown = float(apart.min()), float(np.quantile(apart, 0.995))
    own = z if isinstance(alike, Precomputed) else alike
    found = measure(part.elements, part.labels, similarity=own, q=1)
    return Clustered(index, dataset.train.take(index).elements, part.labels, z, shown, found)


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
