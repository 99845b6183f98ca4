import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from lcrjax.study.analysis.nested import nested_selection


def test_the_others_choose_and_the_left_out_dataset_judges(correlated):
    table = correlated(rows=100, datasets=4)
    features = ("A_0", "CB_1", "G_0", "size")
    found = nested_selection(table, features).set_index("dataset")
    errors = np.zeros(2)
    for name, row in found.iterrows():
        within = {f: np.log(table[f]) - np.log(table[f]).groupby(table.dataset).transform("mean")
                  for f in features}  # fmt: skip
        y = table.bacc - table.bacc.groupby(table.dataset).transform("mean")
        mine = table.dataset == name
        r2 = {f: np.corrcoef(x[~mine], y[~mine])[0, 1] ** 2 for f, x in within.items()}
        best = max(r2, key=r2.get)
        assert row["features"] == (best,)
        assert row["r2_others"] == pytest.approx(r2[best])
        x = within[best].to_numpy()[:, None]
        assert row["r2"] == pytest.approx(np.corrcoef(x[mine, 0], y[mine])[0, 1] ** 2)
        theirs = LinearRegression(fit_intercept=False).fit(x[~mine], y[~mine])
        assert row["r2_transferred"] == pytest.approx(theirs.score(x[mine], y[mine]))
        errors += np.sum((y[mine] - theirs.predict(x[mine])) ** 2), np.sum(y[mine] ** 2)
    assert found.attrs["r2_transferred"] == pytest.approx(1 - errors[0] / errors[1])
    assert found.attrs["r2"] >= found.attrs["r2_transferred"]


def test_a_feature_that_is_good_in_one_dataset_alone_is_not_chosen_by_the_others(correlated):
    table = correlated(rows=120, datasets=4)
    first = table.dataset == "dataset 0"
    rng = np.random.default_rng(0)
    table["B"] = np.where(first, np.exp(table.bacc), np.exp(rng.normal(size=len(table))))
    found = nested_selection(table, ("A_0", "B"), 1).set_index("dataset")
    assert found.loc["dataset 0", "features"] == ("A_0",)


def test_pairs(correlated):
    found = nested_selection(correlated(), ("A_0", "CB_1", "G_0"), 2)
    assert all(len(features) == 2 for features in found["features"])
    assert (found["r2"] >= found["r2_transferred"]).all()


def test_two_datasets_are_too_few(correlated):
    with pytest.raises(ValueError, match="give three"):
        nested_selection(correlated(datasets=2))
