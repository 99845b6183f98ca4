import pytest

from lcrjax.study.analysis.feature_sets import explain_feature_sets
from lcrjax.study.columns import FEATURE_SETS


def test_groups_equal_statsmodels(correlated, statsmodels_fit):
    table = correlated()
    found = explain_feature_sets(table)
    assert list(found.feature_set) == list(FEATURE_SETS)
    assert [len(FEATURE_SETS[g]) for g in ("alphas", "gammas", "rhos", "all")] == [8, 8, 8, 27]
    for row in found.itertuples():
        reference = statsmodels_fit(table, FEATURE_SETS[row.feature_set])
        assert row.adj_r2 == pytest.approx(reference.rsquared_adj, abs=1e-9)
        assert row.bic == pytest.approx(reference.bic, abs=1e-6)


def test_groups_without_rows_or_variation_are_skipped_and_said_to_be(correlated):
    table = correlated(rows=20, datasets=1)
    table["size"] = 64
    found = explain_feature_sets(table)
    assert list(found.feature_set) == ["alphas", "gammas", "rhos", "class balances"]
    assert found.attrs["skipped"]["size"] == "constant over the table"
    assert "20 rows cannot support" in found.attrs["skipped"]["all"]


def test_own_groups(correlated):
    found = explain_feature_sets(correlated(), sets={"mine": ("A_0", "size")})
    assert found.features.item() == ("A_0", "size")
