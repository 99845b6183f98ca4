import numpy as np
import pytest

from lcrjax.study.analysis.effect import top_effect


def test_medians_of_the_tops_by_hand(correlated):
    table = correlated(rows=200)
    found = top_effect(table, fraction=0.25, resamples=50).set_index("dataset")
    for name, rows in table.groupby("dataset"):
        by_feature = rows.nlargest(10, "A_0").bacc.median()
        largest = rows[rows["size"] >= np.sort(rows["size"])[-11]].bacc.median()
        row = found.loc[name]
        assert row.n_feature in (10, 11)
        top = rows.nlargest(int(row.n_feature), "A_0").bacc.median()
        assert row.median_feature == pytest.approx(top)
        assert row.median_feature == pytest.approx(by_feature, abs=0.05)
        assert row.median_against == pytest.approx(largest)
        assert row.difference == pytest.approx(row.median_feature - row.median_against)
        assert row.lower <= row.upper
    each = found.drop(index="median")
    assert found.loc["median", "difference"] == pytest.approx(each.difference.median())


def test_ties_at_the_border_are_all_in(correlated):
    table = correlated(rows=100)
    table["size"] = np.where(np.arange(100) < 90, 64, 128)
    found = top_effect(table, resamples=10).set_index("dataset")
    assert (found.drop(index="median").n_against == 20).all()


def test_a_feature_against_itself_has_no_effect(correlated):
    found = top_effect(correlated(), "A_0", "A_0", resamples=20)
    np.testing.assert_array_equal(found[["difference", "lower", "upper"]], 0)


def test_bad_input(correlated):
    with pytest.raises(ValueError, match=r"fraction is 0\.0: give a number in"):
        top_effect(correlated(), fraction=0.0)
    with pytest.raises(ValueError, match="no column 'dataset'"):
        top_effect(correlated().drop(columns="dataset"))
