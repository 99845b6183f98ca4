"""The 27 features of many subsets of a dataset, as a table."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array
from jaxtyping import Float, Int

from lcrjax import native
from lcrjax.measures.family import family_of, members_of_labels
from lcrjax.native.interrupts import interruptible
from lcrjax.numerics.processes import check_process
from lcrjax.pairwise.native_product import serve_host, sums_on_host
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import RMSD, Precomputed, Similarity, TiledSimilarity
from lcrjax.similarity.base import taken
from lcrjax.similarity.spec import as_similarity
from lcrjax.similarity.unnamed import check_images
from lcrjax.study.columns import FEATURES, ORDERS, feature_columns
from lcrjax.study.subset_features import subset_features

_PAIRS_AT_ONCE = 2**16  # of elements, over all subsets measured side by side
_MEMBERS_AT_ONCE = 2**18  # elements of subsets whose family is computed at once
_COPIES = 2**30  # bytes, of the subsets that all threads work on, unless one alone takes more


@partial(jax.jit, static_argnames="n_classes")
def _side_by_side(
    similarity: TiledSimilarity,
    elements: Any,
    labels: Int[Array, " N"],
    subsets: Int[Array, "g n"],
    n_classes: int,
) -> dict[str, Float[Array, " g"]]:
    one = partial(subset_features, similarity, elements, labels, n_classes=n_classes)
    return jax.vmap(one)(subsets)


def _by_program(
    similarity: TiledSimilarity, elements: Any, labels: np.ndarray, subsets: np.ndarray
) -> pd.DataFrame:
    """The pure function for so many subsets in a compiled call; few sizes of call serve all."""
    k, n = subsets.shape
    at_once = min(1 << (k - 1).bit_length(), max(1, _PAIRS_AT_ONCE // n**2))
    padded = np.concatenate([subsets, np.repeat(subsets[-1:], -k % at_once, axis=0)])
    elements, classes = jax.tree.map(jnp.asarray, elements), jnp.asarray(labels)
    parts = [
        _side_by_side(
            similarity, elements, classes, jnp.asarray(group), n_classes=int(labels.max()) + 1
        )
        for group in np.split(padded, len(padded) // at_once)
    ]
    tables = [pd.DataFrame({name: np.asarray(part[name]) for name in FEATURES}) for part in parts]
    return pd.concat(tables, ignore_index=True)[:k].astype(np.float64)


def _by_kernel(
    similarity: TiledSimilarity, images: np.ndarray, labels: np.ndarray, subsets: np.ndarray
) -> pd.DataFrame:
    """The same by the kernel of sums, a subset to a thread, and the family in float64."""
    n, n_classes = subsets.shape[1], int(labels.max()) + 1

    def sums(subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        classes = labels[subset]
        weights = np.eye(n_classes, dtype=np.float32)[classes]
        found = sums_on_host(similarity, images[subset], weights, most_threads=1)
        return found[np.arange(n), classes], found.sum(axis=1, dtype=np.float64)

    tables, step = [], max(1, _MEMBERS_AT_ONCE // n)
    copies = 2 * n * images[:1].nbytes
    with ThreadPoolExecutor(max(1, min(native.threads(), _COPIES // copies))) as pool:
        for group in np.split(subsets, range(step, len(subsets), step)):
            own, everyone = (np.stack(part) for part in zip(*pool.map(sums, group), strict=True))
            members = members_of_labels(labels[group], own / n, everyone / n)
            family = family_of(members, np.asarray(list(ORDERS.values())))
            tables.append(pd.DataFrame(feature_columns(family, members.datasets, float(n))))
    return pd.concat(tables, ignore_index=True)


def _by_weighing(
    similarity: Similarity, elements: Any, labels: np.ndarray, subsets: np.ndarray
) -> pd.DataFrame:
    """The same by a similarity that weighs elements itself, a subset after the other."""
    n, n_classes = subsets.shape[1], int(labels.max()) + 1
    tables = []
    for subset in subsets:
        part = elements[subset] if hasattr(elements, "dtype") else [elements[i] for i in subset]
        classes = labels[subset]
        weights = np.eye(n_classes, dtype=np.float32)[classes] / np.float32(n)
        sums = np.asarray(zp(similarity, part, jnp.asarray(weights)), np.float64)
        shares = sums[np.arange(n), classes], sums.sum(axis=1)
        members = members_of_labels(classes[None], *(part[None] for part in shares))
        family = family_of(members, np.asarray(list(ORDERS.values())))
        tables.append(pd.DataFrame(feature_columns(family, members.datasets, float(n))))
    return pd.concat(tables, ignore_index=True)


def _check(images: Any, labels: Any, subsets: Any) -> tuple[np.ndarray, np.ndarray]:
    labels, subsets = np.asarray(labels), np.asarray(subsets)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels have shape {labels.shape} and dtype {labels.dtype}: give one integer per image"
        )
    if len(images) != len(labels):
        raise ValueError(f"there are {len(images)} images and {len(labels)} labels: give one each")
    if subsets.ndim != 2 or subsets.dtype.kind not in "iu" or subsets.shape[1] == 0:
        raise ValueError(
            f"subsets have shape {subsets.shape} and dtype {subsets.dtype}: "
            "give integer indices of shape (k, n)"
        )
    if subsets.size and not (subsets.min() >= 0 and subsets.max() < len(labels)):
        raise ValueError(
            f"subsets hold indices from {subsets.min()} to {subsets.max()}, "
            f"but there are images 0 to {len(labels) - 1}"
        )
    if labels.size and labels.min() < 0:
        raise ValueError(f"labels hold {labels.min()}: number the classes from 0")
    return labels.astype(np.int32), subsets.astype(np.int32)


def features(images: Any, labels: Any, subsets: Any, *, similarity: Any = None) -> pd.DataFrame:
    """Measure the 27 features of each of k subsets of n images.

    From exact squared distances where images are uint8 or k/255, with similarities in float32 and
    the family in float64. Beyond its input and output, memory does not grow with k.

    Args:
        images: All images of the dataset, (N, h, w) or (N, h, w, c); uint8, or floats in [0, 1].
        labels: Their classes, (N,), in 0..C-1.
        subsets: Indices of the images of each subset, (k, n).
        similarity: None for RMSD (paper, section III-D); a similarity or a word for one, which
            compares elements of any kind in the place of images.

    Returns:
        k rows with the columns `lcrjax.study.columns.FEATURES`, in float64. A class without an
        image in a subset does not count there.

    Raises:
        ValueError: If shapes, dtypes or indices do not fit, images hold NaN, or pixels lie outside
            [0, 1].

    References:
        Paper, section III-E.
    """
    check_process()
    labels, subsets = _check(images, labels, subsets)
    if similarity is None:
        similarity = RMSD()
        check_images(images)
    similarity, images, _ = as_similarity(similarity, images)
    if isinstance(similarity, Precomputed):
        raise ValueError("a matrix of similarities has no subsets: give a similarity of elements")
    if not len(subsets):
        return pd.DataFrame({name: np.empty(0) for name in FEATURES})
    if not isinstance(similarity, TiledSimilarity):
        return _by_weighing(similarity, taken(similarity, images), labels, subsets)
    similarity, images, _ = similarity.canonical(taken(similarity, images), None)
    if serve_host(similarity, images):
        return interruptible(partial(_by_kernel, similarity, images, labels, subsets))
    return _by_program(similarity, images, labels, subsets)
