"""Similarity from distances that somebody has computed."""

from typing import Any

import numpy as np

from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.tables import is_labelled
from lcrjax.similarity.precomputed import Precomputed

_KINDS = ("exponential", "linear")


def from_distance(distances: Any, kind: str = "exponential", scale: float | int = 1) -> Precomputed:
    r"""Turn distances d between elements into similarities.

    Args:
        distances: A matrix (S, S) of numbers >= 0 with a diagonal of zeros, as array or DataFrame,
            whose names the similarity keeps.
        kind: "exponential", $\exp(-s d)$, or "linear", $\max(1 - s d, 0)$.
        scale: s > 0. In units of 1 / d.max() it is what `dist2sim` of rdiversity calls k where it
            normalises, of the exponential; of the linear kind its inverse.

    Raises:
        ValueError: If the distances are no such matrix, or kind or scale are not among these.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> line = np.abs(np.subtract.outer([0, 1, 3], [0, 1, 3]))
        >>> print(lcrjax.from_distance(line, "linear", 1 / line.max()).matrix.round(2))
        [[1.   0.67 0.  ]
         [0.67 1.   0.33]
         [0.   0.33 1.  ]]
    """
    if kind not in _KINDS:
        raise ValueError(f"kind is {kind!r}: give {' or '.join(map(repr, _KINDS))}")
    if not 0 < scale < np.inf:
        raise ValueError(f"scale is {scale}: give a number above 0")
    d = np.asarray(numbers("distances", distances))
    if d.ndim != 2 or d.shape[0] != d.shape[1]:
        raise ValueError(
            f"distances have shape {d.shape}: give a square matrix (scipy's squareform makes one)"
        )
    bad = np.argwhere(~(d >= 0))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"the distance of elements {i} and {j} is {d[i, j]:g}: distances are not negative"
        )
    own = np.flatnonzero(np.diagonal(d))
    if len(own):
        raise ValueError(
            f"the distance of element {own[0]} to itself is {d[own[0], own[0]]:g}: it must be zero"
        )
    x = d.astype(np.result_type(d, np.float32)) * scale
    z = np.exp(-x) if kind == "exponential" else np.maximum(1 - x, 0)
    if is_labelled(distances):
        import pandas as pd

        return Precomputed(pd.DataFrame(z, index=distances.index, columns=distances.columns))
    return Precomputed(z)
