import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lcrjax.study.analysis import (
    judge_differences,
    nested_selection,
    pairwise_concordance,
    predict_differences,
    reliability,
)
from lcrjax.study.analysis.differences import noise_scale, slopes

SLOPES, NOISE = np.array([0.1, -0.05]), 0.06


def simulated(per_dataset=60, datasets=6, seed=0, noise=NOISE):
    """Scores of known slopes and noise, at another level in every dataset."""
    rng = np.random.default_rng(seed)
    n = per_dataset * datasets
    logs = rng.normal(size=(n, 2))
    dataset = np.repeat(np.arange(datasets), per_dataset)
    y = 0.5 + 0.05 * dataset + logs @ SLOPES + noise * rng.normal(size=n)
    table = pd.DataFrame(np.exp(logs), columns=["x", "z"])
    return table.assign(
        dataset=[f"d{i}" for i in dataset], bacc=y, size=rng.choice([64.0, 128.0], n)
    )


@pytest.fixture(scope="module")
def table():
    return simulated()


@pytest.fixture(scope="module")
def found(table):
    return predict_differences(table, ("x", "z"))


def test_slopes_and_noise_are_those_of_the_simulation():
    large = simulated(per_dataset=400, seed=1)
    y, X = large["bacc"].to_numpy(), np.log(large[["x", "z"]].to_numpy())
    datasets = large["dataset"].to_numpy()
    np.testing.assert_allclose(slopes(y, X, datasets), SLOPES, atol=0.006)
    # Of a difference of two scores with the same noise.
    assert noise_scale(y, X, datasets) == pytest.approx(np.sqrt(2) * NOISE, rel=0.05)


def test_probabilities_are_right_as_often_as_they_say(found):
    curve = reliability(found, resamples=300)
    assert curve["pairs"].sum() == 6 * 60 * 59 / 2
    assert curve["probability"].is_monotonic_increasing
    assert (np.abs(curve["probability"] - curve["right"]) < 0.045).all()
    assert curve.attrs["error"] < 0.03
    assert (curve["lower_subsets"] <= curve["right"]).all()
    assert (curve["right"] <= curve["upper_subsets"]).all()
    # One that is twice as sure as it should be is found out.
    p = [norm.cdf(2 * norm.ppf(q.clip(1e-9, 1 - 1e-9))) for q in found.probability]
    sure = reliability(dataclasses.replace(found, probability=tuple(p)), resamples=0)
    assert sure.attrs["error"] > 2.5 * curve.attrs["error"]
    assert (sure["right"] < sure["probability"])[2:8].all()


def test_a_bin_holds_what_it_says(found):
    curve = reliability(found, bins=4, same_size=True, resamples=0)
    p, m = (found.of_one_size().pairs.listed(x) for x in (found.probability, found.measured))
    sure, right = np.maximum(p, 1 - p), (p > 0.5) == (m > 0)
    order = np.argsort(sure)
    for k, part in enumerate(np.array_split(order, 4)):
        assert curve.loc[k, "right"] == pytest.approx(right[part].mean(), abs=2 / len(part))


def test_judgement_is_that_of_a_loop(table, found):
    row = judge_differences(found, resamples=200)
    squares, totals, errors, agree = [], [], [], []
    for name, part in table.groupby("dataset"):
        rest = table[table["dataset"] != name]
        data = (rest["bacc"].to_numpy(), np.log(rest[["x", "z"]].to_numpy()),
                rest["dataset"].to_numpy())  # fmt: skip
        slope, scale = slopes(*data), noise_scale(*data)
        x, y = np.log(part[["x", "z"]].to_numpy()), part["bacc"].to_numpy()
        for i in range(len(part)):
            for j in range(i):
                said, true = (x[i] - x[j]) @ slope, y[i] - y[j]
                squares.append((said - true) ** 2)
                totals.append(true**2)
                errors.append((norm.cdf(said / scale) - (true > 0)) ** 2)
                agree.append((said > 0) == (true > 0))
    assert row["r2"] == pytest.approx(1 - sum(squares) / sum(totals), rel=1e-9)
    assert row["brier"] == pytest.approx(np.mean(errors), rel=1e-9)
    assert row["concordance"] == pytest.approx(np.mean(agree), rel=1e-12)
    for name in ("r2", "brier", "concordance"):
        for over in ("subsets", "datasets"):
            assert row[f"{name}_lower_{over}"] < row[name] < row[f"{name}_upper_{over}"]


def test_r2_is_that_of_slopes_carried_over(table, found):
    """Of equally many rows, all pairs' mean square is twice the variance within."""
    nested = nested_selection(table, ("x", "z"), 2)
    assert judge_differences(found, resamples=0)["r2"] == pytest.approx(
        nested.attrs["r2_transferred"], rel=1e-9
    )


def test_concordance_is_that_of_the_feature_where_it_alone_predicts(table):
    for same in (False, True):
        alone = judge_differences(predict_differences(table, ("x",)), same_size=same)
        feature = pairwise_concordance(table, ("x",), same_size=same, resamples=1000).iloc[0]
        for end in ("", "_lower_subsets", "_upper_datasets"):
            expected = feature[end[1:] or "concordance"]
            assert alone[f"concordance{end}"] == pytest.approx(expected, abs=1e-9)


def test_nothing_of_a_dataset_takes_part_in_its_prediction(table, found):
    other = table.copy()
    mine = other["dataset"] == "d2"
    other.loc[mine, "bacc"] = np.random.default_rng(5).uniform(size=mine.sum())
    again = predict_differences(other, ("x", "z"))
    np.testing.assert_array_equal(again.probability[2], found.probability[2])
    assert not np.array_equal(again.probability[1], found.probability[1])


def test_every_dataset_may_have_features_of_its_own(table, found):
    models = dict.fromkeys(found.pairs.datasets, ("x", "z")) | {"d1": ("z",)}
    mixed = predict_differences(table, models)
    alone = predict_differences(table, ("z",))
    np.testing.assert_array_equal(mixed.predicted[0], found.predicted[0])
    np.testing.assert_array_equal(mixed.probability[1], alone.probability[1])


def test_a_feature_that_says_nothing_is_a_coin(table):
    rng = np.random.default_rng(3)
    row = judge_differences(
        predict_differences(table.assign(x=np.exp(rng.normal(size=len(table)))), ("x",)),
        resamples=0,
    )
    assert row["brier"] == pytest.approx(0.25, abs=0.01)
    assert row["r2"] == pytest.approx(0, abs=0.02)


def test_bad_input(table, found):
    with pytest.raises(ValueError, match="give three"):
        predict_differences(table[table["dataset"] < "d2"], ("x",))
    with pytest.raises(ValueError, match="no column 'dataset'"):
        predict_differences(table.drop(columns="dataset"), ("x",))
    with pytest.raises(ValueError, match="no column 'y'"):
        predict_differences(table, ("y",))
    with pytest.raises(ValueError, match="for 20000 bins: add subsets"):
        reliability(found, bins=20000)
