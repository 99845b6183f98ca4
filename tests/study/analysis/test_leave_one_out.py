import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from lcrjax.study.analysis.leave_one_out import leave_one_dataset_out


def test_predictions_equal_scikit_learns(correlated):
    table = correlated(rows=120, datasets=6)
    features = ["A_0", "size"]
    X = np.log(table[["n_classes", *features]])
    predicted = cross_val_predict(
        LinearRegression(), X, table.bacc, groups=table.dataset, cv=LeaveOneGroupOut()
    )
    found = leave_one_dataset_out(table, features, always=("n_classes",))
    error = pd.Series(predicted - table.bacc)
    by = error.groupby(table.dataset)
    np.testing.assert_allclose(found.set_index("dataset").bias, by.mean(), atol=1e-10)
    np.testing.assert_allclose(
        found.set_index("dataset").rmse ** 2, (error**2).groupby(table.dataset).mean()
    )
    total = np.sum((table.bacc - table.bacc.mean()) ** 2)
    assert found.attrs["r2"] == pytest.approx(1 - np.sum(error**2) / total)


def test_a_law_common_to_all_datasets_carries_over(correlated):
    table = correlated()
    table["bacc"] = 0.5 + 0.1 * np.log(table["A_0"])
    found = leave_one_dataset_out(table, ("A_0",))
    np.testing.assert_allclose(found.r2, 1)
    assert found.attrs["r2"] == pytest.approx(1)


def test_slopes_may_carry_over_where_levels_do_not(correlated):
    table = correlated()
    level = table.dataset.map({name: i % 2 for i, name in enumerate(table.dataset.unique())})
    table["bacc"] = level + 0.1 * np.log(table["A_0"])
    found = leave_one_dataset_out(table, ("A_0",), always=())
    assert (found.r2 < 0).all()
    assert (found.r2_shifted > 0.5).all()
    assert found.attrs["r2_shifted"] > found.attrs["r2"]


def test_a_parameter_that_only_the_held_out_dataset_varies_says_nothing(correlated):
    table = correlated()
    table["n_channels"] = np.where(table.dataset == "dataset 0", 3, 1)
    found = leave_one_dataset_out(table, ("A_0",), always=("n_channels",))
    without = leave_one_dataset_out(table, ("A_0",), always=())
    first = found.dataset == "dataset 0"
    assert found.loc[first, "rmse"].item() == pytest.approx(without.loc[first, "rmse"].item())


def test_one_dataset_is_refused(correlated):
    with pytest.raises(ValueError, match="to leave one out, give at least two datasets"):
        leave_one_dataset_out(correlated(datasets=1))
