"""Subsets that span the class balances possible at each size (paper, section III-B)."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, Integer

from lcrjax.numerics.whole_numbers import whole_number
from lcrjax.study.design.compositions import Compositions

#: Sizes in the text of the paper; its Table III has 2,048 too.
SIZES: tuple[int, ...] = (64, 128, 256, 384, 512, 768, 1024)

#: Bins of class balance, subsets kept per bin and size, and candidates drawn per size.
BINS, PER_BIN, CANDIDATES = 25, 4, 1_000_000

#: Candidates are drawn this many at a time: memory stays flat. Part of what a seed means.
_CHUNK = 1 << 16


def design_subsets(
    labels: Integer[np.ndarray, " images"],
    sizes: Iterable[int] = SIZES,
    *,
    bins: int = BINS,
    per_bin: int = PER_BIN,
    candidates: int = CANDIDATES,
    seed: int = 0,
    name: str = "",
) -> dict[int, Int[np.ndarray, "subsets size"]]:
    """Choose subsets of each size that spread over the possible class balances.

    For a size `n` and `m` classes, `candidates` compositions of `n` into `m` positive parts are
    drawn, uniformly among those with no part larger than its class. The effective number of
    classes of each, D_1 of its parts / n, falls into one of `bins` equal bins over [1, m] (the
    range that reproduces the paper's Table III for few classes; the lowest bins are empty at small
    sizes, for every class has an image). The first `per_bin` compositions of each bin are kept, all
    of them where there are fewer: candidates are independent, so the first are a random choice.
    For each, the parts' numbers of images are drawn uniformly without replacement from each class.

    Uniform compositions hardly ever come near the extremes of balance, so the more candidates, the
    more bins are reached: a million gives about the paper's counts. A composition may be kept
    twice where few exist, with images of its own each time; the same images are never kept twice.

    Args:
        labels: Class of each training image.
        sizes: Numbers of images of a subset.
        bins: Number of equal bins of the effective number of classes over [1, m].
        per_bin: Largest number of subsets kept per bin and size.
        candidates: Number of compositions drawn per size.
        seed: Any non-negative whole number.
        name: Name of the dataset. Together with the seed and the size it fixes a size's subsets,
            whatever other datasets and sizes a study has.

    Returns:
        For each size, in ascending order, indices into the training images, int32, one subset per
        row; rows run from unbalanced to balanced, images within a row are in random order.

    Raises:
        ValueError: If a size has fewer images than there are classes or more than the data hold,
            there are fewer than two classes, or a number is out of range.

    References:
        Paper, section III-B and Table III.
    """
    labels = np.asarray(labels)
    sizes = sorted({int(n) for n in sizes})
    check_spread(bins, per_bin, candidates, seed)
    check_sizes(labels, sizes, name=name)

    classes = np.unique(labels)
    members = [np.flatnonzero(labels == c) for c in classes]
    subsets = {}
    for n in sizes:
        # Independent generators for the compositions and for the images.
        streams = entropy(seed, name, n, 0).spawn(2)
        choose, draw = map(np.random.default_rng, streams)
        caps = [len(m) for m in members]
        kept = spread_compositions(n, caps, bins, per_bin, candidates, choose)
        rows = np.stack([_draw_images(members, parts, draw) for parts in kept])
        _, first = np.unique(np.sort(rows, axis=1), axis=0, return_index=True)
        subsets[n] = rows[np.sort(first)].astype(np.int32)
    return subsets


def check_spread(bins: Any, per_bin: Any, candidates: Any, seed: Any) -> None:
    """Raise a ValueError unless these are whole numbers that `design_subsets` takes."""
    whole_number("bins", bins, 1)
    whole_number("per_bin", per_bin, 1)
    whole_number("candidates", candidates, 1)
    whole_number("seed", seed, 0)


def check_sizes(labels: np.ndarray, sizes: Sequence[int], *, name: str = "") -> None:
    """Raise a ValueError unless a subset of every size exists that has an image of each class."""
    images, classes = len(labels), len(np.unique(labels))
    where = f"dataset {name!r}" if name else "the dataset"
    if classes < 2:
        raise ValueError(f"{where} has {classes} class in its training images: give at least 2")
    bad = [n for n in sizes if not classes <= n <= images]
    if bad:
        raise ValueError(
            f"{where} has {images} training images in {classes} classes, so subsets of "
            f"{', '.join(map(str, bad))} images are impossible: choose sizes from {classes} "
            f"to {images}"
        )


def training_seeds(seed: int, name: str, n: int, count: int) -> Int[np.ndarray, " count"]:
    """Seeds for training the subsets of one size of one dataset, below 2^31."""
    words = entropy(seed, name, n, 1).generate_state(count)
    return (words >> 1).astype(np.int64)


def entropy(seed: int, name: str, n: int, use: int) -> np.random.SeedSequence:
    """What the randomness of one size of one dataset comes from, for one use of it."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big"), n, use])


def spread_compositions(
    n: int,
    caps: Sequence[int],
    bins: int,
    per_bin: int,
    candidates: int,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Keep the first `per_bin` of `candidates` compositions in each bin of D_1, sorted by bin."""
    compositions, classes = Compositions(n, caps), len(caps)
    share = np.arange(n + 1) / n
    share[0] = 1.0  # no part is zero; the logarithm should not complain
    term = share * np.log(share)
    kept: list[list[np.ndarray]] = [[] for _ in range(bins)]
    room = np.full(bins, per_bin)
    for start in range(0, candidates, _CHUNK):
        parts = compositions.sample(min(_CHUNK, candidates - start), rng)
        effective = np.exp(-term[parts].sum(axis=1))
        bin_of = ((effective - 1) / (classes - 1) * bins).astype(np.int64).clip(0, bins - 1)
        for i in np.flatnonzero(room[bin_of] > 0):
            if room[bin_of[i]]:
                kept[bin_of[i]].append(parts[i])
                room[bin_of[i]] -= 1
        if not room.any():
            break
    return [parts for group in kept for parts in group]


def _draw_images(
    members: Sequence[np.ndarray], parts: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw `parts[j]` images without replacement from class j, and mix them."""
    drawn = [rng.choice(m, k, replace=False) for m, k in zip(members, parts, strict=True)]
    return rng.permutation(np.concatenate(drawn))
