import numpy as np
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

from lcrjax.study.analysis.regression import fit, variance_inflation


def test_fit_is_statsmodels_with_names(correlated, statsmodels_fit):
    table = correlated()
    results = fit(table, "acc", ("A_0", "size"))
    reference = statsmodels_fit(table, ("A_0", "size"), "acc")
    names = ["intercept", "log n_pixels", "log n_channels", "log n_classes", "log A_0", "log size"]
    assert list(results.params.index) == names
    # The parameters stand before the features on both sides.
    np.testing.assert_allclose(results.params, reference.params, rtol=1e-8)
    np.testing.assert_allclose(results.conf_int(), reference.conf_int(), rtol=1e-8)
    assert "log A_0" in str(results.summary())


def test_fit_keeps_the_rows_names_and_leaves_out_the_missing(correlated):
    table = correlated()
    table.index = [f"row {i}" for i in range(len(table))]
    table.loc["row 4", "bacc"] = np.nan
    results = fit(table)
    assert results.nobs == len(table) - 1
    assert "row 4" not in results.resid.index


def test_variance_inflation_equals_statsmodels(correlated):
    results = fit(correlated(), features=("A_0", "A_1", "size"))
    expected = [variance_inflation_factor(results.model.exog, j) for j in range(1, 7)]
    np.testing.assert_allclose(variance_inflation(results), expected, rtol=1e-6)


def test_variance_inflation_of_copies_is_beyond_measure(correlated):
    table = correlated()
    table["A_1"] = table["A_0"]
    with pytest.warns(UserWarning, match="rank-deficient"):
        results = fit(table, features=("A_0", "A_1", "size"))
    vif = variance_inflation(results)
    assert (vif[["log A_0", "log A_1"]] > 1e12).all()
    assert vif["log size"] < 10


def test_fit_refuses_more_coefficients_than_rows(correlated):
    with pytest.raises(ValueError, match="6 rows cannot support"):
        fit(correlated().head(6), features=("A_0", "A_1"))
