"""The 27 features of many subsets of a dataset, many of them at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array
from jaxtyping import Float, Int

from lcrjax import native
from lcrjax.measures.family import Family, Members, family_of, members_of_labels
from lcrjax.native.calls import MOST_PIXELS, subset_sums
from lcrjax.pairwise.product import product_of_prepared
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import RMSD, TiledSimilarity
from lcrjax.similarity.checks import check_pixels
from lcrjax.study.columns import FEATURES

_ORDERS = (0.0, 1.0, np.inf)
_NAMES = ("0", "1", "inf")
_PAIRS_AT_ONCE = 2**16  # of elements, over all subsets measured side by side
_LARGEST_TILE = 256
_MEMBERS_AT_ONCE = 2**18  # images of subsets whose family is computed at once


def _columns(family: Family, members: Members, n: int) -> dict[str, np.ndarray]:
    """The 27 columns from the classes and datasets of the family of many subsets."""
    subsets = members.datasets
    columns = {"size": np.full(family.class_balance.shape[1], float(n))}
    for measure, letter in {"alpha": "A", "normalized_rho": "R", "gamma": "G"}.items():
        short = measure.removeprefix("normalized_")
        levels = family.class_level[measure]
        least, largest = subsets.least(levels), subsets.largest(levels)
        for i, q in enumerate(_NAMES):
            columns[f"{letter}_{q}"] = family.dataset_level[measure][i]
            columns[f"min_{short}_{q}"], columns[f"max_{short}_{q}"] = least[i], largest[i]
    for i, q in enumerate(_NAMES):
        columns[f"CB_{q}"] = family.class_balance[i]
    return {name: columns[name] for name in FEATURES}


@partial(jax.jit, static_argnames="n_classes")
def _tiled(
    similarity: TiledSimilarity,
    images: Array,
    labels: Int[Array, " N"],
    subsets: Int[Array, "g n"],
    n_classes: int,
) -> tuple[Float[Array, "g n"], Float[Array, "g n"]]:
    side = tile_side(subsets.shape[1], of="subsets")

    def one(rows: Int[Array, " n"]) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        classes = labels[rows]
        points, _ = similarity.prepare_both(images[rows], None)
        weights = jax.nn.one_hot(classes, n_classes, axis=0, dtype=jnp.float32)
        sums = product_of_prepared(similarity, points, None, weights, side)
        return jnp.take_along_axis(sums, classes[None, :], axis=0)[0], jnp.sum(sums, axis=0)

    return jax.vmap(one)(subsets)


def _by_tiles(
    similarity: TiledSimilarity,
    images: Array,
    labels: np.ndarray,
    subsets: np.ndarray,
    at_once: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of similarities to the own class and to all, so many subsets in a compiled call."""
    k = len(subsets)
    padded = np.concatenate([subsets, np.repeat(subsets[-1:], -k % at_once, axis=0)])
    parts = [
        _tiled(similarity, images, labels, group, n_classes=int(labels.max()) + 1)
        for group in np.split(padded, len(padded) // at_once)
    ]
    own, everyone = (np.concatenate(part)[:k] for part in zip(*parts, strict=True))
    return own, everyone


def _in_native_code(similarity: TiledSimilarity, images: Any) -> bool:
    """Whether the kernel in C does it, of which XLA is the reference."""
    return (
        type(similarity) is RMSD
        and images.dtype == np.uint8
        and np.prod(images.shape[1:]) <= MOST_PIXELS
        and jax.default_backend() == "cpu"
        and native.available()
    )


def _groups(
    similarity: TiledSimilarity, images: Any, labels: np.ndarray, subsets: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the classes of a group of subsets, and sums of similarities to these and to all."""
    k, n = subsets.shape
    step = max(1, _MEMBERS_AT_ONCE // n)
    groups = [subsets[start : start + step] for start in range(0, k, step)]
    if isinstance(similarity, RMSD) and _in_native_code(similarity, images):
        pixels = np.ascontiguousarray(images).reshape(len(images), -1)
        scale, unit = (float(np.asarray(x)) for x in (similarity.scale, similarity.unit))
        factor = scale / (unit * np.sqrt(pixels.shape[1]))
        for group in groups:
            classes = labels[group]
            yield classes, *subset_sums(pixels, group, classes, factor)
        return
    images = jnp.asarray(images)
    at_once = min(1 << (k - 1).bit_length(), max(1, _PAIRS_AT_ONCE // n**2))
    for group in groups:
        yield labels[group], *_by_tiles(similarity, images, labels, group, at_once)


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


def features(
    images: Any,
    labels: Int[np.ndarray, " N"],
    subsets: Int[np.ndarray, "k n"],
    *,
    similarity: TiledSimilarity | None = None,
) -> pd.DataFrame:
    """Measure the 27 features of each of k subsets of n images.

    From exact squared distances where images are uint8 or k/255, with similarities in float32 and
    the family in float64. Beyond its input and output, memory does not grow with k.

    Args:
        images: All images of the dataset, (N, h, w) or (N, h, w, c); uint8, or floats in [0, 1].
        labels: Their classes, (N,), in 0..C-1.
        subsets: Indices of the images of each subset, (k, n).
        similarity: A similarity computed in tiles; None for RMSD (paper, section III-D).

    Returns:
        k rows with the columns `lcrjax.study.columns.FEATURES`, in float64. A class without an
        image in a subset does not count there.

    Raises:
        ValueError: If shapes, dtypes or indices do not fit, images hold NaN, or pixels lie outside
            [0, 1].

    References:
        Paper, section III-E.
    """
    labels, subsets = _check(images, labels, subsets)
    if similarity is None:
        similarity = RMSD()
        check_pixels(images)
    if not isinstance(similarity, TiledSimilarity):
        raise ValueError(
            f"similarity is a {type(similarity).__name__}: give one that is computed in tiles"
        )
    similarity, images, _ = similarity.canonical(images, None)
    k, n = subsets.shape
    if k == 0:
        return pd.DataFrame({name: np.empty(0) for name in FEATURES})
    tables = []
    for classes, own, everyone in _groups(similarity, images, labels, subsets):
        members = members_of_labels(classes, own / n, everyone / n)
        family = family_of(members, np.asarray(_ORDERS))
        tables.append(pd.DataFrame(_columns(family, members, n)))
    return pd.concat(tables, ignore_index=True)
