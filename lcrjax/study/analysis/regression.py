"""Regression on a study's table: logs, checks, and statsmodels' summary of one model."""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.columns import FEATURES, PARAMETERS

T = TypeVar("T", float, np.ndarray)


@dataclasses.dataclass(frozen=True, eq=False)
class Design:
    """What a regression needs of a table: the target, and natural logs of what explains it.

    Attributes:
        y: Target, not logged.
        base: Intercept, then the logs of the `always` columns that vary.
        X: Logs of the features that vary.
        features: Names of the columns of `X`.
        always: Names of the columns of `base` after the intercept.
        rows: Positions in the table of the rows used.
        dataset: The table's column of that name, if it has one.
        dropped: Columns left out, each with the reason.
        n_missing: Rows left out because a value that the regression needs is missing.
    """

    y: Float[np.ndarray, " n"]
    base: Float[np.ndarray, "n b"]
    X: Float[np.ndarray, "n p"]
    features: tuple[str, ...]
    always: tuple[str, ...]
    rows: Int[np.ndarray, " n"]
    dataset: pd.Series | None
    dropped: dict[str, str]
    n_missing: int

    @functools.cached_property
    def datasets(self) -> Shaped[np.ndarray, " n"] | None:
        """Dataset of each row; None where there are fewer than two."""
        if self.dataset is None:
            return None
        datasets = self.dataset.astype(str).to_numpy()[self.rows]
        return datasets if len(np.unique(datasets)) > 1 else None

    @property
    def attrs(self) -> dict[str, Any]:
        """What a reader of a result must know of it, for `DataFrame.attrs`."""
        return {
            "rows": len(self.y),
            "rows_missing": self.n_missing,
            "always": list(self.always),
            "dropped": dict(self.dropped),
        }


def design_matrix(
    table: pd.DataFrame,
    target: str = "bacc",
    features: Sequence[str] = FEATURES,
    always: Sequence[str] = PARAMETERS,
) -> Design:
    """Take the logs of a table's features and check that a regression on them means something.

    Rows in which a needed value is missing (failed subsets) and columns that are constant over the
    rest are left out; both are recorded.

    Args:
        table: One row per subset; `features` and `always` are positive numbers.
        target: Column to explain; it is not logged.
        features: Candidate columns.
        always: Columns that every regression contains.

    Returns:
        The regression's arrays in float64, and what was left out.

    Raises:
        ValueError: If a column is absent, named twice, no number, infinite, or zero or negative
            where its log is needed; or if the target is constant or no complete row is left.
    """
    features, always = tuple(features), tuple(always)
    names = (target, *features, *always)
    values, rows = select_complete_cases(table, names[1:], (target,))
    constant = values.max(axis=0) == values.min(axis=0)
    if constant[0]:
        raise ValueError(
            f"{target!r} is the same in all {len(rows)} rows: explain a column that varies"
        )
    dropped = dict.fromkeys(itertools.compress(names, constant), "constant over the table")
    logs, varies = np.log(values[:, 1:]), ~constant[1:]
    p = len(features)
    X, parameters = logs[:, :p], logs[:, p:]
    return Design(
        y=values[:, 0],
        base=np.column_stack([np.ones(len(rows)), parameters[:, varies[p:]]]),
        X=X if varies[:p].all() else X[:, varies[:p]],
        features=tuple(itertools.compress(features, varies[:p])),
        always=tuple(itertools.compress(always, varies[p:])),
        rows=rows,
        dataset=table.get("dataset"),
        dropped=dropped,
        n_missing=len(table) - len(rows),
    )


def fit(
    table: pd.DataFrame,
    target: str = "bacc",
    features: Sequence[str] = ("A_0",),
    always: Sequence[str] = PARAMETERS,
) -> Any:
    """Fit one model with statsmodels, for coefficients, confidence intervals and diagnostics.

    Args:
        table: One row per subset.
        target: Column to explain.
        features: Columns of the model besides `always`, on their natural logs.
        always: Columns that every regression contains. Constant columns, features among them,
            are dropped, so that they are absent from the coefficients.

    Returns:
        `statsmodels` OLS results with named coefficients: `.summary()`, `.params`, `.conf_int()`.

    Raises:
        ValueError: As `design_matrix` does, or if no feature varies or there are no more rows than
            coefficients.
    """
    import statsmodels.api as sm

    d = design_matrix(table, target, features, always)
    if not d.features:
        raise ValueError(
            f"{', '.join(features)}: all constant over the table: fit a feature that varies"
        )
    check_rows(len(d.y), d.base.shape[1] + d.X.shape[1])
    exog = pd.DataFrame(
        np.hstack([d.base, d.X]),
        columns=["intercept", *(f"log {name}" for name in (*d.always, *d.features))],
        index=table.index[d.rows],
    )
    return sm.OLS(pd.Series(d.y, index=exog.index, name=target), exog).fit()


def check_rows(n: int, n_coefficients: int) -> None:
    """Refuse a regression that would have no residual degree of freedom."""
    if n <= n_coefficients:
        raise ValueError(
            f"{n} rows cannot support a regression with {n_coefficients} coefficients: "
            "add subsets or use fewer features"
        )


def adjusted_r2(r2: T, n: Any, rank: Any) -> T:
    """Adjusted R-squared of regressions on `n` rows with `rank` coefficients (with intercept)."""
    return 1 - (n - 1) / (n - rank) * (1 - r2)


def variance_inflation(results: Any) -> pd.Series:
    """Variance inflation factor of every coefficient but the intercept, by statsmodels.

    One means that a column has nothing in common with the others; above about ten its coefficient
    says little on its own. Exactly collinear columns get infinity, or what rounding makes of it.

    Args:
        results: What `fit` returned.

    Returns:
        A series named `vif`, indexed like the coefficients.
    """
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    exog, names = results.model.exog, results.model.exog_names
    with np.errstate(divide="ignore"):
        vif = [variance_inflation_factor(exog, j) for j in range(1, len(names))]
    return pd.Series(vif, names[1:], name="vif", dtype=float)
