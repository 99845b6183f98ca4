"""Sets of features, and what each explains together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lcrjax.study.analysis.leave_one_out import held_out_r2
from lcrjax.study.analysis.projection import svd_fit
from lcrjax.study.analysis.regression import Design, adjusted_r2, check_rows, design_matrix
from lcrjax.study.columns import FEATURE_SETS, PARAMETERS


def explain_feature_sets(
    table: pd.DataFrame,
    target: str = "bacc",
    always: Sequence[str] = PARAMETERS,
    sets: Mapping[str, Sequence[str]] = FEATURE_SETS,
) -> pd.DataFrame:
    """Regress on whole sets of features, those of the paper unless others are given.

    Args:
        table: One row per subset.
        target: Column to explain.
        always: Columns in every regression.
        sets: Features of each set, by the set's name. Features that are constant over the table
            are left out of their sets.

    Returns:
        One row per set that has a feature left and rows enough, in the order given: `feature_set`,
        and the columns of `score`. `attrs` as in `search`, with `skipped` (set: reason) added.

    Raises:
        ValueError: As `design_matrix` does.

    References:
        Paper, section IV-D and Fig. 4d.
    """
    every = dict.fromkeys(name for names in sets.values() for name in names)
    d = design_matrix(table, target, tuple(every), always)
    rows, skipped = [], {}
    for name, members in sets.items():
        model = tuple(feature for feature in members if feature in d.features)
        if not model:
            skipped[name] = "constant over the table"
            continue
        try:
            rows.append({"feature_set": name, **score(d, model)})
        except ValueError as error:
            skipped[name] = str(error)
    result = pd.DataFrame(rows)
    result.attrs.update(target=target, **d.attrs, skipped=skipped)
    return result


def score(d: Design, model: Sequence[str]) -> dict[str, Any]:
    """Fit one model and judge it.

    Args:
        d: The regression's arrays.
        model: Names among `d.features`.

    Returns:
        `features`, `size`, `adj_r2`, `r2`, `bic` (all as statsmodels defines them), `rank`, and
        `held_out_r2` and `held_out_r2_shifted`: R-squared of predictions for datasets that the fit
        did not see (see `leave_one_dataset_out`; NaN where there is only one).

    Raises:
        ValueError: If there are no more rows than coefficients.
    """
    columns = np.array([d.features.index(name) for name in model])
    n = len(d.y)
    check_rows(n, d.base.shape[1] + len(columns))
    rss, rank = svd_fit(d, columns)
    r2 = 1 - rss / float(np.sum((d.y - d.y.mean()) ** 2))
    held_out = (np.nan, np.nan) if d.datasets is None else held_out_r2(d, columns)
    return {
        "features": tuple(model),
        "size": len(model),
        "adj_r2": adjusted_r2(r2, n, rank),
        "r2": r2,
        "bic": n * (np.log(2 * np.pi * rss / n) + 1) + np.log(n) * rank,
        "rank": rank,
        "held_out_r2": held_out[0],
        "held_out_r2_shifted": held_out[1],
    }
