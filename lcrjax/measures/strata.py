"""Random samples of a labelled dataset, stratified by class and by how ordinary elements seem."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from lcrjax.numerics.groupings import Segments

_FEWEST = 16  # rows of a class, where there are enough
_IN_STRATUM = 5
_IN_TAIL = 16  # one in so many rows of a class goes to either end of its ordinariness
_OUTLYING = 4  # times the mean
_AT_ONCE = 2**16  # elements that are counted together
_MANY, _RATE = 10_000, 50  # of more elements, one in so many is drawn without a permutation of all
_SPARE = 4  # times the elements that are drawn are looked at, for those of each class
_LARGEST_TAIL = 4  # outliers take at most one in so many


@dataclasses.dataclass(frozen=True)
class Sample:
    """Some of n elements, drawn without replacement in each of H strata.

    Strata are of all elements; or, in two phases, of candidates, which were drawn from each class.

    Attributes:
        rows: The m elements, stratum after stratum, class after class.
        sizes: How many elements, or candidates, a stratum has.
        taken: How many of them are in the sample.
        strata: How many strata each class has.
        crowded: Whether a class seems to have more outliers than could be taken for certain.
        population: How many elements each class has.
    """

    rows: Int[np.ndarray, " m"]
    sizes: Int[np.ndarray, " H"]
    taken: Int[np.ndarray, " H"]
    strata: Int[np.ndarray, " C"]
    crowded: Bool[np.ndarray, " C"]
    population: Int[np.ndarray, " C"]

    @property
    def weights(self) -> Float[np.ndarray, " m"]:
        """How many elements each row stands for."""
        classes = Segments(self.strata)
        each = classes.spread(self.population / self.candidates)
        return np.repeat(each * self.sizes / self.taken, self.taken)

    @property
    def candidates(self) -> Int[np.ndarray, " C"]:
        """From how many of each class rows were drawn."""
        return Segments(self.strata).sum(self.sizes)

    @property
    def in_class(self) -> Int[np.ndarray, " C"]:
        """Rows of each class."""
        return Segments(self.strata).sum(self.taken)


def allocated(sizes: Int[np.ndarray, " C"], rows: int, least: int = 2) -> Int[np.ndarray, " C"]:
    """Share out rows among classes, in proportion to the roots of their sizes.

    Between equal shares, which suit each class and alpha, and proportional ones, which suit the
    other measures of the dataset (power allocation, Bankier 1988). Small classes are taken whole.

    Args:
        sizes: Elements of each class, none of it empty.
        rows: How many rows there are in all.
        least: Rows that each class gets, as far as it has them, even where that makes them more.
    """
    roots, low, high = np.sqrt(sizes), 0.0, float(rows)
    fewest = min(_FEWEST, max(least, rows // (2 * len(sizes))))
    for _ in range(64):
        scale = (low + high) / 2
        shares = np.clip(scale * roots, np.minimum(sizes, fewest), sizes)
        low, high = (scale, high) if shares.sum() <= rows else (low, scale)
    out = np.floor(np.clip(low * roots, np.minimum(sizes, fewest), sizes)).astype(np.int64)
    rest = max(0, rows - int(out.sum()))
    out[np.argsort(out - low * roots, kind="stable")[:rest]] += 1
    return np.minimum(out, sizes)


def class_sizes(classes: Int[np.ndarray, " n"], kinds: int | None = None) -> Int[np.ndarray, " C"]:
    """How many elements each class has, of so many; None for those up to the last that has any."""
    count = int(classes.max()) + 1 if kinds is None else kinds
    step, sizes = max(count, _AT_ONCE), np.zeros(count, np.int64)
    for i in range(0, len(classes), step):
        sizes += np.bincount(classes[i : i + step], minlength=count)
    return sizes


def present_classes(
    classes: Int[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " C"], Int[np.ndarray, " n"]]:
    """Which classes have elements, and the place of each element's class among them."""
    sizes = class_sizes(classes)
    present = np.flatnonzero(sizes)
    if len(present) == len(sizes):
        return present, classes
    return present, np.searchsorted(present, np.arange(len(sizes)))[classes]


def members_of(
    classes: Int[np.ndarray, " n"], kinds: int | None = None
) -> list[Int[np.ndarray, " _"]]:
    """Elements of each class, 0 to kinds - 1; None for as many as there are."""
    sizes = class_sizes(classes, kinds)
    small = classes.astype(np.min_scalar_type(len(sizes)))  # which is sorted in linear time
    return np.split(np.argsort(small, kind="stable"), np.cumsum(sizes)[:-1])


def drawn(
    members: Sequence[Int[np.ndarray, " _"]],
    rows: int,
    rng: np.random.Generator,
    guess: Float[np.ndarray, "n 2"] | None = None,
) -> Sample:
    """Draw a sample.

    Args:
        members: Elements of each class, as `members_of` lists them.
        rows: How many to draw; at least two of each class are.
        rng: Random numbers.
        guess: About how ordinary each element is within its class and within the dataset. With it
            classes are cut into strata of elements that are about as ordinary, and the most and the
            least ordinary are taken for certain: outliers, which chance would miss or overstate.
    """
    sizes = np.array([len(own) for own in members])
    return _drawn(members, allocated(sizes, rows), sizes, rng, guess)


def drawn_evenly(
    classes: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " C"],
    rows: int,
    rng: np.random.Generator,
) -> Sample:
    """Draw a sample without strata within classes, and without a list of the members of each.

    Places are drawn from all, and the first of each class are taken. Members are listed of those
    classes alone that have too few among them, in one pass over the labels.

    Args:
        classes: Class of each element, 0 to C - 1.
        sizes: How many elements each class has, none of it empty.
        rows: How many to draw; at least two of each class are.
        rng: Random numbers.
    """
    counts, kinds = allocated(sizes, rows), len(sizes)
    places = _some_places(len(classes), _SPARE * int(counts.sum()), rng)
    found = members_of(classes[places], kinds)
    short = np.array([len(its) for its in found]) < counts
    if short.any():
        left = np.flatnonzero(short[classes])
        listed = members_of(classes[left], kinds)
    chosen = [
        _some(left[listed[j]], count, rng) if short[j] else places[found[j][:count]]
        for j, count in enumerate(counts.tolist())
    ]
    whole = np.ones(kinds, np.int64), np.zeros(kinds, bool)
    return Sample(np.concatenate(chosen), sizes, counts, *whole, sizes)


def _some_places(n: int, count: int, rng: np.random.Generator) -> Int[np.ndarray, " m"]:
    """So many of n places in random order, or all."""
    return rng.choice(n, count, replace=False) if count < n else rng.permutation(n)


def drawn_again(
    candidates: Sample, rows: int, rng: np.random.Generator, guess: Float[np.ndarray, "k 2"]
) -> Sample:
    """Draw a sample from a larger one, whose classes have no strata (two-phase sampling).

    Args:
        candidates: The larger sample, of k elements.
        rows: How many of them to draw.
        rng: Random numbers.
        guess: As for `drawn`, about each of the k.

    References:
        Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, chapter 9.
    """
    k, sizes = candidates.in_class, candidates.population
    counts = np.minimum(allocated(sizes, rows), k)
    members = np.split(np.arange(k.sum()), np.cumsum(k)[:-1])
    found = _drawn(members, counts, sizes, rng, guess)
    return dataclasses.replace(found, rows=candidates.rows[found.rows])


def _drawn(
    members: Sequence[Int[np.ndarray, " _"]],
    counts: Int[np.ndarray, " C"],
    population: Int[np.ndarray, " C"],
    rng: np.random.Generator,
    guess: Float[np.ndarray, "k 2"] | None,
) -> Sample:
    """So many of the members of each class, which has so many in all."""
    parts, taken, strata, crowded = [], [], [], []
    for own, count in zip(members, counts.tolist(), strict=True):
        full, cut = False, [(own, count)]
        if guess is not None and _IN_TAIL <= count < len(own):
            full, cut = _strata(own, count, guess[own])
        parts += [part for part, _ in cut]
        taken += [size for _, size in cut]
        strata.append(len(cut))
        crowded.append(full)
    chosen = [_some(part, size, rng) for part, size in zip(parts, taken, strict=True)]
    of_parts = [len(part) for part in parts]
    arrays = map(np.array, (of_parts, taken, strata, crowded, population))
    return Sample(np.concatenate(chosen), *arrays)


def _some(
    part: Int[np.ndarray, " k"], size: int, rng: np.random.Generator
) -> Int[np.ndarray, " _"]:
    """So many of them, in random order."""
    if len(part) > max(_MANY, _RATE * size):
        return rng.choice(part, size, replace=False)
    return rng.permutation(part)[:size]


def _strata(
    own: Int[np.ndarray, " k"], count: int, guess: Float[np.ndarray, "k 2"]
) -> tuple[bool, list[tuple[Int[np.ndarray, " _"], int]]]:
    """Elements of each stratum of a class with how many to take, and whether outliers remain."""
    order, tail = np.argsort(guess[:, 0], kind="stable"), count // _IN_TAIL
    full, outliers = _outliers(1 / guess[order, 0], count)
    low, high = max(tail, outliers), len(own) - tail
    ends, inner, left = np.r_[order[:low], order[high:]], order[low:high], count - low - tail
    side = max(1, round(np.sqrt(left / _IN_STRATUM)))
    inner = np.concatenate(
        [part[np.argsort(guess[part, 1], kind="stable")] for part in np.array_split(inner, side)]
    )
    parts = np.array_split(inner, side**2)
    shares = [len(part) for part in np.array_split(np.arange(left), side**2)]
    cut = zip(parts, np.minimum(shares, [len(part) for part in parts]).tolist(), strict=True)
    return full, [(own[ends], len(ends)), *((own[part], size) for part, size in cut)]


def _outliers(sizes: Float[np.ndarray, " k"], count: int) -> tuple[bool, int]:
    """How many of the largest to take for certain, and whether more of them would be.

    As in sampling in proportion to size: those that as many draws would hold more than once, if
    they are several times as large as the mean of what is left.

    Args:
        sizes: In descending order.
        count: Draws.
    """
    most = count // _LARGEST_TAIL
    rest = np.cumsum(sizes[::-1], dtype=np.float64)[::-1][: most + 1]
    place = np.arange(len(rest))
    far = np.maximum(1 / (count - place), _OUTLYING / (len(sizes) - place))
    certain = sizes[: most + 1] >= far * rest
    found = len(rest) if certain.all() else int(np.argmin(certain))
    return found > most, min(found, most)
