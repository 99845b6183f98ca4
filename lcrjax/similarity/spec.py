"""Similarities written in one word, such as `rmsd:10`, for command lines and files of settings."""

import difflib
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from lcrjax.numerics.inputs import array
from lcrjax.numerics.meshes import is_spread
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.together import Parts, of_first, several
from lcrjax.numerics.whole_numbers import check_seed, check_whole
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.cosine import Cosine
from lcrjax.similarity.distance_kernels import RMSD, Gaussian, Laplacian, Matern32, Matern52
from lcrjax.similarity.gower import Gower
from lcrjax.similarity.precomputed import Precomputed
from lcrjax.similarity.texts import Levenshtein, NGrams

_NUMBERS = ("images", "vectors")


class Form(NamedTuple):
    """A similarity that can be written.

    Attributes:
        make: Makes it, of the number after the colon if there is one.
        kinds: What it compares: keys of `lcrjax.data.dataset.KINDS`.
        said: What it is called in a sentence.
    """

    make: Any
    kinds: tuple[str, ...]
    said: str


#: How each is written; a number in brackets may be left out. A LENGTH may be `median` or a multiple
#: of it, such as `0.5median`.
FORMS: dict[str, Form] = {
    "rmsd[:SCALE]": Form(RMSD, _NUMBERS, "exp(−s · RMSD)"),
    "cosine": Form(Cosine, _NUMBERS, "cosine"),
    "gaussian:LENGTH": Form(Gaussian, _NUMBERS, "Gaussian of the distance"),
    "laplacian:LENGTH": Form(Laplacian, _NUMBERS, "exponential of the distance"),
    "matern32:LENGTH": Form(Matern32, _NUMBERS, "Matérn 3/2 of the distance"),
    "matern52:LENGTH": Form(Matern52, _NUMBERS, "Matérn 5/2 of the distance"),
    "edit": Form(Levenshtein, ("texts",), "normalised edit similarity"),
    "ngram[:CHARACTERS]": Form(NGrams, ("texts",), "cosine of character n-grams"),
    "gower": Form(Gower, ("rows", "vectors"), "Gower's similarity"),
    "file:PATH": Form(Precomputed, ("images", "vectors", "texts", "rows"), "matrix"),
}
#: What commands measure with where nothing is said, by kind of elements.
USUAL = {"images": "rmsd", "vectors": "cosine", "texts": "ngram", "rows": "gower"}
#: Elements that `median` looks at, at most, and the seed of their choice.
MEDIAN_SAMPLE, _SEED = 2_000, 0
_FILES = (".npy", ".npz", ".csv")


def parse_similarity(text: str, elements: Any = None) -> Similarity:
    """Read a similarity written in one word.

    Args:
        text: A name and, where it has one, its number: `rmsd`, `rmsd:SCALE`, `cosine`,
            `gaussian:LENGTH`, `laplacian:LENGTH`, `matern32:LENGTH`, `matern52:LENGTH`, `edit`,
            `ngram`, `ngram:CHARACTERS`, `gower` or `file:PATH`. A length is a number, `median`
            (`median_distance` of the elements) or a multiple of that such as `0.5median`. Of
            images a length is in the unit of pixels in [0, 1].
        elements: What is to be compared, as the similarity takes it; only `median`, and `gower` for
            the ranges of columns, look at it. None leaves these ranges open.

    Raises:
        ValueError: If there is no such similarity (the nearest and all are named), its number is
            missing, unasked for or not above 0, a file is no matrix, or `median` is asked of no
            elements.

    Example:
        >>> parse_similarity("rmsd:10")
        RMSD(scale=10.0, unit=255.0)
    """
    form = _form(text)
    _, colon, number = text.strip().partition(":")
    make = FORMS[form].make
    if not colon and (":" not in form or "[" in form):
        return Gower.of(elements) if make is Gower and elements is not None else make()
    if form == "file:PATH":
        return Precomputed(Path(number))
    if form == "ngram[:CHARACTERS]":
        if number.isdecimal() and int(number):
            return NGrams(int(number))
        raise ValueError(f"the similarity is {text!r}: write {form}, a whole number above 0")
    share = number.removesuffix("median") or "1"
    of_median = "LENGTH" in form and number.endswith("median")
    value = _above_zero(share if of_median else number) if ":" in form else None
    if value is None:
        what = ", a number above 0" * (":" in form)
        median = " or a multiple of the median distance, such as 0.5median" * ("LENGTH" in form)
        raise ValueError(f"the similarity is {text!r}: write {form}{what}{median}")
    if of_median:
        if elements is None:
            raise ValueError(f"the similarity is {text!r}: the median needs elements, give them")
        value *= median_distance(pixels_for(make(), elements))
    return make(value)


def check_similarity(text: str, kind: str | None = None) -> None:
    """Refuse what is no word for a similarity, before there are elements; files stay unread.

    Args:
        text: As `parse_similarity` takes it.
        kind: What is to be compared, a key of `USUAL`; None for anything.

    Raises:
        ValueError: If it is none, or one of another kind of elements.
    """
    form = _form(text)
    kinds = FORMS[form].kinds
    if kind is not None and kind not in kinds:
        known = ", ".join(f for f, other in FORMS.items() if kind in other.kinds)
        raise ValueError(f"{text!r} compares {' or '.join(kinds)}, no {kind}: give {known}")
    if form != "file:PATH":
        parse_similarity(text, np.arange(2.0)[:, None])


def as_similarity(
    similarity: Any, elements: Any = None, others: Any = None, *, over_mesh: bool = False
) -> tuple[Similarity, Any, Any]:
    """Take a similarity in any form in which people give one, and elements as it is to see them.

    Args:
        similarity: A `Similarity`; a word as `parse_similarity` reads it; a matrix, or the path of
            one, for `Precomputed`.
        elements: What is to be compared, or None. Where the similarity is a word, images of bytes
            become floats in [0, 1], see `pixels_for`; otherwise they stay.
        others: What they are compared with, or None.
        over_mesh: Whether elements are compared over a mesh: those that are sharded stay where they
            are, and of several processes each has a part of its own.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(similarity, Similarity):
        return similarity, elements, others
    if callable(similarity):
        raise ValueError(
            f"the similarity is {similarity!r}: give an object such as RMSD(), "
            "or a function as Pointwise(function) or PythonFunction(function)"
        )
    is_path = str(similarity).endswith(_FILES) and not str(similarity).startswith("file:")
    if not isinstance(similarity, str) or is_path:
        return Precomputed(similarity), elements, others
    form = FORMS[_form(similarity)]
    if form.kinds == _NUMBERS:
        elements, others = (
            x
            if x is None or isinstance(x, Stream) or (over_mesh and is_spread(x))
            else array("elements", x)
            for x in (elements, others)
        )
    seen_by_word = elements
    stream = isinstance(elements, Stream)
    if over_mesh and several() and similarity.endswith("median") and not stream:
        own = pixels_for(FORMS[_form(similarity)].make(), elements)
        seen_by_word = Parts(own, {"similarity": similarity})
    found = parse_similarity(similarity, seen_by_word)
    if isinstance(found, Precomputed) and elements is not None:
        found.check(len(elements), None)
    seen = [None if x is None else pixels_for(found, x) for x in (elements, others)]
    return found, seen[0], seen[1]


def compares_numbers(similarity: Any) -> bool:
    """Whether it is a word for a similarity of images and vectors.

    Raises:
        ValueError: If it is a word for none.
    """
    is_word = isinstance(similarity, str) and not similarity.endswith(_FILES)
    return is_word and FORMS[_form(similarity)].kinds == _NUMBERS


def describe_similarity(text: str, similarity: Similarity, kind: str) -> str:
    """Say in a few words what a word came to mean, such as for the head of a table."""
    form, number = _form(text), text.strip().partition(":")[2]
    said = FORMS[form].said
    if isinstance(similarity, RMSD):
        return f"{said} of {kind}, s = {float(np.asarray(similarity.scale)):g}"
    if isinstance(similarity, NGrams):
        return f"{said} of {kind}, n = {similarity.n}"
    if isinstance(similarity, Precomputed):
        return f"{said} {number} of {kind}"
    if "LENGTH" not in form:
        return f"{said} of {kind}"
    length = float(np.asarray(similarity.length))  # type: ignore[attr-defined]
    median = f" ({number} of a sample of at most {MEDIAN_SAMPLE:,})" * number.endswith("median")
    return f"{said} of {kind}, length {length:.4g}{median}"


def median_distance(vectors: Any, *, sample: int = MEDIAN_SAMPLE, seed: int = _SEED) -> float:
    """Median Euclidean distance of two vectors, over all pairs of a sample.

    Args:
        vectors: n vectors or images.
        sample: Number of vectors, chosen at random, all pairs of which are looked at.
        seed: Of that choice.

    Returns:
        The median; 1 where there are no two vectors.

    Raises:
        ValueError: If they are traced or no numbers, one that was chosen holds NaN or infinity,
            most pairs are the same, or there are fewer than two to look at.
    """
    if isinstance(vectors, jax.core.Tracer):
        raise ValueError("the median distance of traced vectors is unknown: give a length")
    check_whole("sample", sample, 2, "give how many vectors to look at, at least two")
    check_seed(seed)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:sample])
    known = isinstance(vectors, Stream | Parts)
    rows = vectors.take(chosen) if known else np.asarray(vectors)[chosen]
    if rows.dtype.kind not in "buif":
        raise ValueError(f"elements have dtype {rows.dtype}: a median distance needs numbers")
    if not np.isfinite(rows).all():
        place = _first_not_finite(rows)
        # Of parts in several processes the first that was chosen: no process reads the others'.
        place = (int(chosen[place[0]]), *place[1:])
        where = place if isinstance(vectors, Parts) else _first_not_finite(vectors)
        raise ValueError(f"elements hold NaN or infinity, first at {where}: remove it")
    if len(rows) < 2:
        return 1.0
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    rows -= rows.mean(axis=0)
    squares = np.einsum("nd,nd->n", rows, rows)
    squared = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
    median = float(np.median(np.sqrt(np.maximum(squared[np.triu_indices(len(rows), 1)], 0))))
    if not 0 < median < np.inf:
        raise ValueError(f"the median distance of two elements is {median:g}: give a length")
    return of_first(median) if isinstance(vectors, Parts) else median


def _first_not_finite(vectors: Any) -> tuple[int, ...]:
    """Place of the first number that is none, among all elements."""
    streamed = isinstance(vectors, Stream)
    blocks = vectors.blocks(vectors.rows_at_once) if streamed else [np.asarray(vectors)]
    at = 0
    for block in blocks:
        if len(bad := np.argwhere(~np.isfinite(block))):
            return (at + int(bad[0][0]), *map(int, bad[0][1:]))
        at += len(block)
    raise AssertionError("one is known to be there")


def pixels_for(similarity: Similarity, images: Any) -> Any:
    """Images as a similarity is to see them: bytes become floats in [0, 1] for all but RMSD.

    So lengths mean the same whatever type of pixels a dataset has; RMSD takes bytes so by itself.
    What is no image (n, h, w) or (n, h, w, c) stays.
    """
    if isinstance(similarity, RMSD) or getattr(images, "dtype", None) != np.uint8:
        return images
    if images.ndim <= 2:
        return images
    if isinstance(images, Stream):
        return images.as_fractions()
    if isinstance(images, jax.Array):  # which may have to promote no type
        images = images.astype(np.float32)
    return images / np.float32(255)


def _form(text: str) -> str:
    """The form of `FORMS` in which a word is written."""
    name = text.strip().partition(":")[0]
    forms = {form.partition(":")[0].rstrip("["): form for form in FORMS}
    if name in forms:
        return forms[name]
    near = difflib.get_close_matches(name.lower(), forms, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"there is no similarity {text!r}: {hint}known are {', '.join(FORMS)}")


def _above_zero(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < np.inf else None
