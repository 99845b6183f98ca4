"""Similarities of texts: by edits that turn one into the other, and by runs of characters."""

import dataclasses
import functools
import importlib
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.numerics.inputs import check_apart
from lcrjax.numerics.progress import listener
from lcrjax.numerics.whole_numbers import check_whole
from lcrjax.similarity.base import Similarity

_PAIRS_AT_ONCE = 2**22  # similarities, or sums of runs, held at once
_HASHES = 2**20


class _OfTexts(Similarity):
    def take(self, elements: Any, what: str = "elements") -> list[str]:
        """Check that elements are texts."""
        return _texts(elements, what)


class Levenshtein(_OfTexts):
    r"""Normalised edit similarity of texts, $Z_{ij} = 1 - d_{ij} / \max(l_i, l_j)$.

    $d_{ij}$ is the least number of characters to insert, delete or replace that turns one text into
    the other, $l_i$ the number of characters; two empty texts are the same. Texts are compared as
    they are given: case counts. All pairs are compared, in blocks of bounded memory, on all cores,
    by `rapidfuzz` (the extra `text`).

    References:
        Levenshtein (1966).

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> words = ["kitten", "sitting", "mitten"]
        >>> print(np.asarray(lcrjax.ordinariness(words, np.eye(3), lcrjax.Levenshtein())).round(3))
        [[1.    0.571 0.833]
         [0.571 1.    0.571]
         [0.833 0.571 1.   ]]
    """

    def __post_init__(self) -> None:
        """Check that there is what computes it."""
        _need("rapidfuzz", "rapidfuzz")

    def ordinariness(self, elements: Any, weights: Any, others: Any = None) -> Float[Array, "n k"]:
        """Z w, from one half of all pairs where `others` is None."""
        cdist = _cdist("normalized_similarity")
        rows = _texts(elements)
        columns = rows if others is None else _texts(others, "others")
        w = np.asarray(weights, np.float64)
        sums = np.zeros((len(rows), w.shape[1]))
        step, tell = max(1, _PAIRS_AT_ONCE // max(1, len(columns))), listener()
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            first = start if others is None else 0
            z = cdist(block, columns[first:])
            sums[start : start + step] += z @ w[first:]
            if others is None:
                own = start + len(block)
                sums[own:] += z[:, len(block) :].T @ w[start:own]
            if tell is not None:
                left = 1 - (start + len(block)) / len(rows)
                tell(1 - (left**2 if others is None else left))
        return jnp.asarray(sums, jnp.asarray(weights).dtype)

    def distances(
        self, elements: Any, others: Any = None, *, most: float | int = np.inf
    ) -> Callable[[Int[np.ndarray, " a"], Int[np.ndarray, " b"]], Float[np.ndarray, "a b"]]:
        """Normalised edit distances 1 - Z of texts at some places from others at some.

        Args:
            elements: Texts.
            others: Texts; None for the same.
            most: Distances above it are given as 1, which saves work.
        """
        cdist = _cdist("normalized_distance", score_cutoff=min(most, 1.0))
        rows = _texts(elements)
        columns = rows if others is None else _texts(others, "others")
        return lambda first, second: cdist([rows[i] for i in first], [columns[i] for i in second])


class NGrams(_OfTexts):
    r"""Cosine of texts' counts of character n-grams: which runs of characters they share.

    A text, a space before it and one after it so that beginnings and ends count, is counted as all
    its runs of `n` characters; where it has fewer than `n`, as one run. As given: case counts.
    Runs are hashed to 2^20 numbers (scikit-learn's `HashingVectorizer`), of which two share one
    rarely. Counts are not negative, so $Z w = X (X^T w)$ for the sparse matrix X of unit rows: time
    and memory grow with the length of all texts, and not with the number of pairs.

    Attributes:
        n: Characters of a run.

    References:
        Damashek (1995), Gauging similarity with n-grams, Science 267.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> words = ["kitten", "sitting", "mitten"]
        >>> print(np.asarray(lcrjax.ordinariness(words, np.eye(3), lcrjax.NGrams())).round(3))
        [[1.    0.154 0.667]
         [0.154 1.    0.154]
         [0.667 0.154 1.   ]]
    """

    n: int = dataclasses.field(default=3, metadata={"static": True})

    def __post_init__(self) -> None:
        """Check the length of runs, and that there is what hashes them."""
        _need("sklearn", "scikit-learn")
        check_whole("n", self.n, 1, "give a whole number of characters, at least 1")

    def ordinariness(self, elements: Any, weights: Any, others: Any = None) -> Float[Array, "n k"]:
        """Z w."""
        rows, lengths = self._counted(_texts(elements))
        columns, its = (
            (rows, lengths) if others is None else self._counted(_texts(others, "others"))
        )
        used = np.unique(columns.indices)
        rows, columns = rows[:, used], columns[:, used]
        w = np.asarray(weights, np.float64) / its
        out = np.empty((rows.shape[0], w.shape[1]))
        step = max(1, _PAIRS_AT_ONCE // max(1, len(used)))
        for start in range(0, w.shape[1], step):
            some = slice(start, start + step)
            out[:, some] = rows @ (columns.T @ w[:, some]) / lengths
        return jnp.asarray(out, jnp.asarray(weights).dtype)

    def _counted(self, texts: list[str]) -> tuple[Any, Float[np.ndarray, "n 1"]]:
        """Counts of runs as sparse rows, and the rows' Euclidean lengths."""

        def runs(text: str) -> list[str]:
            framed = f" {text} "
            return [framed[i : i + self.n] for i in range(max(1, len(framed) - self.n + 1))]

        text = _need("sklearn.feature_extraction.text", "scikit-learn")
        hasher = text.HashingVectorizer(
            analyzer=runs, n_features=_HASHES, norm=None, alternate_sign=False, dtype=np.float32
        )
        x = hasher.transform(texts)
        return x, np.sqrt(np.asarray(x.multiply(x).sum(axis=1, dtype=np.float64)).reshape(-1, 1))


def _texts(elements: Any, what: str = "elements") -> list[str]:
    """List texts.

    Raises:
        ValueError: If one is none, saying which.
    """
    if isinstance(elements, str):
        raise ValueError(f"{what} are one text: give a list of texts")
    check_apart(what, elements)
    found = list(elements)
    for i, text in enumerate(found):
        if not isinstance(text, str):
            missing = text is None or (isinstance(text, float) and text != text)
            kind = "missing" if missing else f"a {type(text).__name__}"
            raise ValueError(f"{what} hold no text at {i}, which is {kind}: give strings")
    return found


def _cdist(scorer: str, **options: Any) -> Callable[[list[str], list[str]], np.ndarray]:
    """What compares all texts with all others in float64, on all cores."""
    process = _need("rapidfuzz.process", "rapidfuzz")
    scorer = getattr(_need("rapidfuzz.distance.Levenshtein", "rapidfuzz"), scorer)
    return functools.partial(process.cdist, scorer=scorer, dtype=np.float64, workers=-1, **options)


def _need(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'similarities of texts need {package} ({error}): pip install "lcrjax[text]"'
        ) from error
