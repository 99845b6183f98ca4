import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from lcrjax.study.analysis.combinations import search, search_sizes
from lcrjax.study.columns import FEATURES, PARAMETERS

LAW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_equals_statsmodels(found, table, fit, **kwargs):
    for row in found.itertuples():
        reference = fit(table, row.features, **kwargs)
        assert row.adj_r2 == pytest.approx(reference.rsquared_adj, abs=1e-9)
        assert row.r2 == pytest.approx(reference.rsquared, abs=1e-9)
        assert found.loc[row.Index, "rank"] == reference.df_model + 1


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("target", ["bacc", "auc"])
def test_every_combination_equals_statsmodels(correlated, statsmodels_fit, size, target):
    table = correlated()
    found = search(table, target, size)
    assert len(found) == math.comb(27, size)
    assert set(found.features) == set(itertools.combinations(FEATURES, size))
    assert_equals_statsmodels(found, table, statsmodels_fit, target=target)
    assert found.adj_r2.is_monotonic_decreasing


def test_triples_equal_statsmodels(correlated, statsmodels_fit):
    table = correlated()
    found = search(table, size=3)
    assert len(found) == math.comb(27, 3)
    assert_equals_statsmodels(found.iloc[::20], table, statsmodels_fit)


@pytest.mark.parametrize("noise", [1e-4, 1e-6, 1e-7])
def test_nearly_collinear_features_keep_their_digits(correlated, statsmodels_fit, noise):
    table = correlated(rows=200)
    rng = np.random.default_rng(1)
    log = np.log(table["A_0"])
    table["A_1"] = np.exp(log + noise * log.std() * rng.normal(size=len(table)))
    assert 1 - np.corrcoef(log, np.log(table["A_1"]))[0, 1] < 1e-8
    names = ("A_0", "A_1", "CB_1", "size", "G_0")
    for found in search_sizes(table, sizes=(2, 3), features=names).values():
        assert_equals_statsmodels(found, table, statsmodels_fit)


def test_exact_collinearity_counts_as_in_statsmodels(correlated, statsmodels_fit):
    table = correlated(rows=90)
    table["A_1"] = table["A_0"]  # a copy
    table["CB_1"] = 1 / table["G_0"]  # an opposite
    table["A_inf"] = table["R_0"] * table["G_1"] * table["CB_inf"]  # a sum of logs
    table["R_1"] = np.sqrt(table["n_classes"])  # in the base
    names = ("A_0", "A_1", "CB_1", "G_0", "A_inf", "R_0", "G_1", "CB_inf", "R_1")
    for found in search_sizes(table, sizes=(1, 2, 3, 4), features=names).values():
        assert_equals_statsmodels(found, table, statsmodels_fit)
    pairs = search(table, size=2, features=names).set_index("features")
    assert pairs.loc[[("A_0", "A_1")], "rank"].item() == 5
    assert pairs.loc[[("A_0", "G_0")], "rank"].item() == 6


def test_two_datasets_make_the_parameters_collinear(correlated, statsmodels_fit):
    table = correlated(rows=60, datasets=2)
    found = search(table)
    assert (found["rank"] == 3).all()
    assert_equals_statsmodels(found, table, statsmodels_fit)


def test_constant_columns_are_dropped_and_said_to_be(correlated, statsmodels_fit):
    table = correlated(rows=80, datasets=1)
    table["size"] = 64
    found = search(table)
    assert set(found.attrs["dropped"]) == {*PARAMETERS, "size"}
    assert found.attrs["always"] == []
    assert len(found) == 26
    assert_equals_statsmodels(found, table, statsmodels_fit, always=())


def test_rows_with_missing_values_are_left_out_and_counted(correlated):
    table = correlated()
    failed = table.copy()
    failed.loc[[3, 50], ["acc", "bacc", "auc"]] = np.nan
    failed.loc[7, "G_0"] = np.nan
    found = search(failed)
    assert found.attrs["rows_missing"] == 3
    expected = search(table.drop(index=[3, 7, 50]))
    np.testing.assert_allclose(found.adj_r2, expected.adj_r2, rtol=1e-12)
    assert (found.n == len(table) - 3).all()


@LAW
@given(st.integers(0, 1000), st.lists(st.floats(1e-3, 1e3), min_size=27, max_size=27))
def test_units_do_not_matter(correlated, seed, scales):
    table = correlated(rows=60, seed=seed)
    scaled = table.copy()
    scaled[list(FEATURES)] *= scales
    before = search(table, size=2).set_index("features").adj_r2
    after = search(scaled, size=2).set_index("features").adj_r2
    np.testing.assert_allclose(after[before.index], before, atol=1e-9)


@LAW
@given(st.integers(0, 1000))
def test_a_feature_more_never_explains_less(correlated, seed):
    table = correlated(rows=40, seed=seed, features=FEATURES[:7])
    found = {
        frozenset(row.features): row.r2
        for frame in search_sizes(table, sizes=(1, 2, 3), features=FEATURES[:7]).values()
        for row in frame.itertuples()
    }
    for combination, r2 in found.items():
        assert 0 <= r2 <= 1 + 1e-12
        for name in combination:
            if len(combination) > 1:
                assert r2 >= found[combination - {name}] - 1e-12


def test_sizes_searched_together_equal_sizes_searched_alone(correlated):
    table = correlated(rows=50)
    together = search_sizes(table, sizes=(3, 1))
    assert set(together) == {1, 3}
    for size, frame in together.items():
        alone = search(table, size=size)
        assert list(frame.features) == list(alone.features)
        np.testing.assert_array_equal(frame.adj_r2, alone.adj_r2)


def test_the_largest_combination_is_all_features(correlated, statsmodels_fit):
    names = FEATURES[:6]
    table = correlated(rows=50)
    found = search(table, size=6, features=names)
    assert list(found.features) == [names]
    assert_equals_statsmodels(found, table, statsmodels_fit)


@pytest.mark.parametrize(
    ("change", "kwargs", "message"),
    [
        (lambda t: t, {"target": "bac"}, "no column 'bac': did you mean 'bacc'"),
        (lambda t: t, {"size": 0}, "give a whole number of features"),
        (
            lambda t: t,
            {"size": 12},
            "size is 12, and 27 features have .* combinations of 8, .*size= below 8",
        ),
        (lambda t: t, {"size": 3, "features": ("A_0", "A_1")}, "too few for combinations of 3"),
        (lambda t: t, {"features": ("A_0", "A_0")}, "named more than once"),
        (lambda t: t.assign(G_0=t.G_0 - t.G_0.min()), {}, "'G_0' holds 0, which has no logarithm"),
        (lambda t: t.assign(CB_1=-t.CB_1), {}, "'CB_1' holds -.*no logarithm"),
        (lambda t: t.assign(A_0=np.inf), {}, "'A_0' holds an infinite value"),
        (lambda t: t.assign(A_0=np.nan), {}, "no complete row among 160; column 'A_0'"),
        (lambda t: t.assign(A_0="many"), {}, "'A_0' holds something else than numbers"),
        (lambda t: t.assign(bacc=0.5), {}, "'bacc' is the same in all 160 rows"),
        (lambda t: t.head(5), {}, "5 rows cannot support a regression with 5 coefficients"),
        (lambda t: t.head(0), {}, "no complete row among 0"),
    ],
)
def test_bad_input_gets_one_clear_sentence(correlated, change, kwargs, message):
    with pytest.raises(ValueError, match=message):
        search(change(correlated()), **kwargs)


def test_the_table_is_left_as_it_was(correlated):
    table = correlated()
    before = table.copy()
    search(table, size=2)
    assert table.equals(before)
