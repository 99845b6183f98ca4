import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from lcrjax.study.analysis.fixed_effects import fixed_effects_r2


def test_fixed_effects_equal_statsmodels_with_dummies(correlated):
    table = correlated()
    models = [("A_0",), ("size", "CB_1")]
    found = fixed_effects_r2(table, models).set_index("features")
    dummies = pd.get_dummies(table.dataset).to_numpy(float)
    alone = sm.OLS(table.bacc.to_numpy(), dummies).fit()
    for model in models:
        X = np.log(table[list(model)].to_numpy(float))
        full = sm.OLS(table.bacc.to_numpy(), np.hstack([dummies, X])).fit()
        row = found.loc[[model]].iloc[0]
        assert row.r2_within == pytest.approx(1 - full.ssr / alone.ssr)
        assert row.adj_r2_within == pytest.approx(1 - full.mse_resid / alone.mse_resid)
        pooled = sm.OLS(table.bacc.to_numpy(), sm.add_constant(X)).fit()
        assert row.r2_pooled == pytest.approx(pooled.rsquared)
    assert found.attrs["share_within"] == pytest.approx(1 - alone.rsquared)


def test_a_feature_that_only_tells_datasets_apart_has_no_value_within(correlated):
    table = correlated()
    table["A_0"] = table["n_classes"].astype(float)
    found = fixed_effects_r2(table, [("A_0",), ("A_1",)]).set_index("features")
    assert np.isnan(found.loc[[("A_0",)], "adj_r2_within"].item())
    assert found.loc[[("A_0",)], "r2_pooled"].item() > 0


def test_one_dataset_is_refused(correlated):
    with pytest.raises(ValueError, match="the table has one dataset, all is within it: use search"):
        fixed_effects_r2(correlated(datasets=1))
