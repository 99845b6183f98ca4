"""Measures of a subset alone that rest on its whole similarity matrix."""

import numpy as np
from jaxtyping import Float


def vendi_2(z: Float[np.ndarray, "n n"]) -> float:
    r"""Vendi score of order 2 of n elements of one weight, $n^2 / \sum_{ij} Z_{ij}^2$.

    Without eigenvalues: the sum of their squares is that of the matrix's elements.

    References:
        Pasarkar & Dieng (2023), "Cousins of the Vendi score".
    """
    return float(z.size / np.einsum("ij,ij->", z, z))


def magnitude(z: Float[np.ndarray, "n n"]) -> float:
    """Magnitude: the sum of the inverse matrix, copies counted once; NaN if there is no inverse.

    References:
        Leinster (2013), "The magnitude of metric spaces".
    """
    copy = (np.tril(z, -1) >= 1).any(axis=1)
    own = z[~copy][:, ~copy]
    try:
        return float(np.linalg.solve(own, np.ones(len(own))).sum())
    except np.linalg.LinAlgError:
        return float("nan")


def mmd(within: float, across: float, among: float) -> float:
    """Maximum mean discrepancy of two samples, from mean similarities, that of each to itself too.

    Args:
        within: Mean over all pairs of elements of the one.
        across: Mean over all pairs of an element of each.
        among: Mean over all pairs of the other.

    References:
        Gretton et al. (2012), "A kernel two-sample test", equation 5.
    """
    return float(np.sqrt(max(within + among - 2 * across, 0)))
