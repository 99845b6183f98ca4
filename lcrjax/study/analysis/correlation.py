"""Correlations of features, and clusters of those that say nearly the same."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.analysis.fixed_effects import centre
from lcrjax.study.columns import FEATURES

#: Features in one cluster share at least this much of their variance on average.
CLUSTER_R2 = 0.8


def squared_correlations(
    table: pd.DataFrame, features: Sequence[str] = FEATURES, *, within: str | None = None
) -> pd.DataFrame:
    """Squared correlation of every pair of features, on natural logs.

    Args:
        table: One row per subset.
        features: Columns, positive numbers; those constant over the table are left out.
        within: Column (such as `dataset`) whose groups' means are taken out first, so that only
            what happens within a group counts; None for the paper's plain correlation.

    Returns:
        A square table, 1 on the diagonal. `attrs` holds `rows`, `rows_missing`, `dropped`.

    Raises:
        ValueError: As `design_matrix` does for the features.

    References:
        Paper, Fig. 5.
    """
    values, rows = select_complete_cases(table, features)
    X = np.log(values)
    if within is not None:
        X = centre(X, table[within].to_numpy()[rows])
    X = X - X.mean(axis=0)
    lengths = np.linalg.norm(X, axis=0)
    varies = lengths > 1e-12 * np.sqrt(len(X))
    names = list(itertools.compress(features, varies))
    if len(rows) < 3 or len(names) < 2:
        raise ValueError(
            f"{len(rows)} complete rows and {len(names)} features that vary: "
            "give at least three and two"
        )
    X = X[:, varies] / lengths[varies]
    r2 = np.clip((X.T @ X) ** 2, 0, 1)
    np.fill_diagonal(r2, 1)
    result = pd.DataFrame(r2, index=names, columns=names)
    dropped = {name: "constant" for name in features if name not in names}
    missing = len(table) - len(rows)
    result.attrs = {"rows": len(rows), "rows_missing": missing, "dropped": dropped}
    return result


def cluster(
    r2: pd.DataFrame, threshold: float = CLUSTER_R2
) -> tuple[pd.DataFrame, pd.Series, Float[np.ndarray, "merges 4"]]:
    """Order features so that those that share most of their variance lie side by side.

    Average linkage on 1 - R-squared, leaves in the order that keeps neighbours most alike.

    Args:
        r2: What `squared_correlations` returned.
        threshold: Clusters are cut where the mean R-squared between them falls below this.

    Returns:
        The table reordered, the number of each feature's cluster in that order, and SciPy's linkage
        matrix.
    """
    distances = squareform(1 - r2.to_numpy(), checks=False)
    tree = optimal_leaf_ordering(linkage(distances, method="average"), distances)
    order = leaves_list(tree)
    labels = fcluster(tree, 1 - threshold, criterion="distance")[order]
    numbers = pd.factorize(labels)[0]
    return r2.iloc[order, order], pd.Series(numbers, r2.index[order], name="cluster"), tree
