"""What images that a subset lacks see of it: their ordinariness in it, and its nearest members."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.divergence import crossed_with
from lcrjax.pairwise.host_rows import Block
from lcrjax.study.measuring.names import CROSS_ORDERS, HELD_OUT_MEASURES

#: Images outside a subset that it is held against, at most.
HELD_OUT = 1500
_SEED = 0  # of the order in which they are taken


class Seen(NamedTuple):
    """What each of t images sees of each of s subsets."""

    own: Float[np.ndarray, "*s t"]  # sum of similarities to the members of its own class
    everyone: Float[np.ndarray, "*s t"]  # to all members
    own_closest: Float[np.ndarray, "*s t"]  # the largest of those to members of its own class
    closest: Float[np.ndarray, "*s t"]  # the largest
    nearest: Int[np.ndarray, "*s t"]  # class of the nearest member; the first of several
    likest: Int[np.ndarray, "*s t"]  # class with the largest mean; the first of several

    @classmethod
    def nothing(cls, subsets: int, images: int) -> "Seen":
        """Room for what is to be found."""
        sums = [np.zeros((subsets, images)) for _ in range(4)]
        return cls(*sums, *(np.zeros((subsets, images), np.int64) for _ in range(2)))


def viewers(n_images: int, largest: int) -> Int[np.ndarray, " t"]:
    """Places of images, in a random order that is the same every time.

    Each subset of up to `largest` of n images is held against the first `HELD_OUT` of them that it
    lacks, or all that there are.
    """
    return np.random.default_rng(_SEED).permutation(n_images)[: HELD_OUT + largest]


def outside(images: Int[np.ndarray, " t"], subset: Int[np.ndarray, " n"]) -> np.ndarray:
    """Which of the images a subset is held against, as indices into them."""
    return np.flatnonzero(~np.isin(images, subset))[:HELD_OUT]


def look(
    block: Block,
    images: Int[np.ndarray, " t"],
    union: Int[np.ndarray, " u"],
    members: Sequence[Sequence[tuple[int, Int[np.ndarray, " _"]]]],
    labels: Int[np.ndarray, " N"],
) -> Seen:
    """Compute what images see of subsets; memory is for the pairs of an image and a member.

    Args:
        block: Similarities of the elements at some places with those at others.
        images: Places of the images.
        union: Places of all members of all subsets.
        members: For each subset its classes, and which of `union` they have.
        labels: Classes of all elements.
    """
    z = block(union, images)
    own_class = labels[images]
    found = Seen.nothing(len(members), len(images))
    found.closest[:] = -np.inf
    for s, classes in enumerate(members):
        highest = np.full(len(images), -np.inf)
        for label, rows in classes:
            part = z[rows]
            total, most, own = part.sum(axis=0), part.max(axis=0), own_class == label
            found.own[s, own], found.own_closest[s, own] = total[own], most[own]
            found.everyone[s] += total
            found.nearest[s, most > found.closest[s]] = label
            np.maximum(found.closest[s], most, out=found.closest[s])
            mean = total / len(rows)
            found.likest[s, mean > highest] = label
            np.maximum(highest, mean, out=highest)
    return found


def held_out_measures(
    seen: Seen, labels: Int[np.ndarray, " t"], counts: Int[np.ndarray, " C"]
) -> dict[str, float]:
    """Measures of one subset against images that it lacks.

    Args:
        seen: What these see of it, (t,) each.
        labels: Their classes.
        counts: Members of the subset in each class.

    Returns:
        `lcrjax.study.measuring.names.HELD_OUT_MEASURES`, but for `mmd`. NaN where a measure has no
        finite number because the subset lacks the class of an image.

    References:
        Cross-diversity: Leinster (2021), Entropy and Diversity, as sentropy's `sce`.
    """
    row: dict[str, Any] = {}
    n = int(counts.sum())
    sizes = np.bincount(labels, minlength=len(counts))
    uniform = np.ones(len(labels))
    weights = {"": uniform, "balanced_": uniform / sizes[labels]}
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            "cross": seen.everyone / n,
            "own_cross": seen.own / n,
            "class_cross": seen.own / counts[labels],
            "signal_to_noise": seen.own / np.sqrt(seen.everyone),
        }
        table = np.stack(list(shares.values()), axis=1)
        for name, w in weights.items():
            for q, order in CROSS_ORDERS.items():
                means = crossed_with((w / w.sum())[:, None], table, order)[0]
                row |= {f"{name}{kind}_{q}": x for kind, x in zip(shares, means, strict=True)}
        row["own_signal"] = np.sqrt(n) / row["balanced_own_cross_1"]
        row["signal_to_noise"] = 1 / row["balanced_signal_to_noise_1"]
        row["facility_location"] = np.mean(seen.closest)
        row["own_facility_location"] = np.mean(seen.own_closest)
    row["nn_bacc"] = balanced_accuracy(labels, seen.nearest)
    row["kernel_bacc"] = balanced_accuracy(labels, seen.likest)
    wanted = {name: row[name] for name in HELD_OUT_MEASURES if name in row}
    return {name: float(x) if np.isfinite(x) else np.nan for name, x in wanted.items()}


def balanced_accuracy(labels: Int[np.ndarray, " t"], said: Int[np.ndarray, " t"]) -> float:
    """Mean over the classes that occur of the share of their images that are called so."""
    totals = np.bincount(labels)
    right = np.bincount(labels[labels == said], minlength=len(totals))
    return float(np.mean(right[totals > 0] / totals[totals > 0]))
