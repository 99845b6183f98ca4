import numpy as np
import pandas as pd
import pytest

from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.resampling import CHUNK, bootstrap

MODELS = (("A_0",), ("CB_1",), ("size",), ("A_0", "A_1", "size"))
COLUMNS = ["n_pixels", "n_channels", "n_classes"]


def test_every_draw_over_datasets_equals_a_refit_of_the_resampled_table(
    correlated, statsmodels_fit
):
    table = correlated(rows=60, datasets=4)
    drawn = bootstrap(table, MODELS, over="datasets", resamples=12, seed=3)
    counts = np.random.default_rng(3).multinomial(4, np.full(4, 0.25), 12)
    names = sorted(table.dataset.unique())
    for draw, count in zip(drawn.draws, counts, strict=True):
        again = pd.concat([table[table.dataset == name] for name in np.repeat(names, count)])
        expected = [statsmodels_fit(again, model).rsquared_adj for model in MODELS]
        np.testing.assert_allclose(draw, expected, atol=1e-9)


def test_every_draw_over_subsets_equals_a_refit_of_the_resampled_table(correlated, statsmodels_fit):
    table = correlated(rows=45, datasets=3).sort_values("dataset", ignore_index=True)
    drawn = bootstrap(table, MODELS, resamples=5, seed=1)
    rng = np.random.default_rng(1)
    counts = np.hstack([rng.multinomial(15, np.full(15, 1 / 15), 5) for _ in range(3)])
    for draw, count in zip(drawn.draws, counts, strict=True):
        again = table.loc[np.repeat(table.index, count)]
        expected = [statsmodels_fit(again, model).rsquared_adj for model in MODELS]
        np.testing.assert_allclose(draw, expected, atol=1e-9)


def test_the_estimate_is_that_of_the_search(correlated):
    table = correlated()
    drawn = bootstrap(table, resamples=3)
    found = search(table).set_index("features").adj_r2
    np.testing.assert_allclose(drawn.adj_r2, found[list(drawn.models)], atol=1e-12)


def test_copies_do_not_differ_and_noise_loses_for_certain(correlated):
    table = correlated(rows=200)
    rng = np.random.default_rng(0)
    table["A_1"] = table["A_0"]
    table["CB_1"] = np.exp(rng.normal(size=200))
    table["bacc"] = 0.5 + 0.1 * np.log(table["A_0"]) + 0.02 * rng.normal(size=200)
    drawn = bootstrap(table, [("A_0",), ("A_1",), ("CB_1",), ("A_0", "A_1")], resamples=400)
    assert drawn.difference("A_0", "CB_1").certainty == 1
    assert drawn.difference("CB_1", "A_0").certainty == 0
    assert drawn.difference("A_0", "CB_1").lower > 0
    same = drawn.difference("A_0", "A_1")
    assert same.difference == pytest.approx(0, abs=1e-12)
    assert same[["lower", "upper"]].abs().max() < 1e-9
    assert drawn.difference(("A_1", "A_0"), "A_0").difference == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [1, 15])
def test_intervals_hold_the_truth_about_as_often_as_they_say(count):
    # 60 tables from a population whose R-squared is 0.5 exactly.
    rng = np.random.default_rng(count)
    names = [f"feature {i}" for i in range(count)]
    hits = 0
    for _ in range(60):
        X = rng.normal(size=(150, count))
        table = pd.DataFrame(np.exp(X), columns=names)
        table["bacc"] = X.sum(axis=1) / np.sqrt(count) + rng.normal(size=150)
        interval = bootstrap(table, [names], always=(), resamples=300).intervals().iloc[0]
        hits += interval.lower <= 0.5 <= interval.upper
    assert 51 <= hits <= 60  # 95 % of 60 is 57; three standard deviations are 5


def test_the_seed_decides_and_resamples_come_in_any_number(correlated):
    table = correlated(rows=40)
    first = bootstrap(table, MODELS, resamples=CHUNK + 7, seed=5)
    second = bootstrap(table, MODELS, resamples=CHUNK + 7, seed=5)
    np.testing.assert_array_equal(first.draws, second.draws)
    assert first.draws.shape == (CHUNK + 7, 4)
    assert not np.array_equal(
        first.draws[:, 0], bootstrap(table, MODELS, resamples=257, seed=6).draws[:, 0]
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"over": "rows"}, "give 'subsets' or 'datasets'"),
        ({"resamples": 0}, "resamples is 0: give at least 1"),
        ({"models": [("n",)], "always": ("n_classes",)}, "the model n is constant over the table"),
    ],
)
def test_bad_input(correlated, kwargs, message):
    table = correlated().assign(n=64)
    with pytest.raises(ValueError, match=message):
        bootstrap(table, **kwargs)


def test_one_dataset_cannot_be_resampled_as_datasets(correlated):
    with pytest.raises(ValueError, match="at least two datasets"):
        bootstrap(correlated(datasets=1), over="datasets")


def test_unknown_models_and_levels_are_refused(correlated):
    drawn = bootstrap(correlated(), MODELS, resamples=5)
    with pytest.raises(ValueError, match="no model has the features G_0"):
        drawn.difference("G_0", "A_0")
    with pytest.raises(ValueError, match=r"level is 95\.0: give a number between 0 and 1"):
        drawn.intervals(95.0)
