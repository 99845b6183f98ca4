import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from lcrjax.study.analysis.branch_and_bound import best_of_every_size, best_subsets
from lcrjax.study.analysis.projection import project
from lcrjax.study.analysis.regression import design_matrix
from lcrjax.study.columns import FEATURES

LAW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_best_of_every_size_equals_brute_force_with_statsmodels(correlated, statsmodels_fit):
    names = FEATURES[:6]
    table = correlated(rows=70)
    found = best_subsets(table, features=names)
    assert list(found["size"]) == [1, 2, 3, 4, 5, 6]
    for row in found.itertuples():
        fits = {c: statsmodels_fit(table, c) for c in itertools.combinations(names, row.size)}
        best = max(fits, key=lambda c: fits[c].rsquared)
        assert row.features == best
        assert row.adj_r2 == pytest.approx(fits[best].rsquared_adj, abs=1e-10)
        assert row.bic == pytest.approx(fits[best].bic, abs=1e-7)


@LAW
@given(st.integers(0, 10_000), st.integers(3, 11), st.sampled_from([0, 1e-6, 0.3]))
def test_bounds_never_cost_the_best(correlated, seed, count, noise):
    names = FEATURES[:count]
    table = correlated(rows=40, seed=seed, features=names)
    rng = np.random.default_rng(seed)
    table[names[-1]] = table[names[0]] * np.exp(noise * rng.normal(size=40))
    p = project(design_matrix(table, features=names))
    subsets, bounded = best_of_every_size(p)
    _, exhaustive = best_of_every_size(p, bounds=False)
    np.testing.assert_allclose(bounded, exhaustive, atol=1e-12 * p.total)
    assert [len(s) for s in subsets] == list(range(count + 1))
    assert (np.diff(bounded) <= 1e-12 * p.total).all()


def test_the_search_for_one_two_and_three_agrees(correlated):
    from lcrjax.study.analysis.combinations import search

    table = correlated(rows=120)
    found = best_subsets(table)
    assert len(found) == 27
    for size in (1, 2, 3):
        best = search(table, size=size).iloc[0]
        assert found.features[size - 1] == best.features
        assert found.adj_r2[size - 1] == pytest.approx(best.adj_r2, abs=1e-12)


def test_sizes_that_the_rows_do_not_support_are_left_out(correlated):
    found = best_subsets(correlated(rows=12))
    assert found["size"].max() == 12 - 4 - 1
    with pytest.raises(ValueError, match="5 rows cannot support"):
        best_subsets(correlated(rows=5))


def test_one_dataset_has_no_prediction_for_others(correlated):
    found = best_subsets(correlated(rows=40, datasets=1), features=FEATURES[:4])
    assert found.held_out_r2.isna().all()
    assert set(found.attrs["dropped"]) == {"n_pixels", "n_channels", "n_classes"}


@pytest.mark.parametrize("collinear", [True, False])
def test_abess_finds_nothing_better(correlated, collinear):
    abess = pytest.importorskip("abess", reason="abess, an independent reference, is not installed")
    table = correlated(rows=150)
    if not collinear:
        logs = np.random.default_rng(0).normal(size=(150, 27))
        table[list(FEATURES)] = np.exp(logs)
        table["bacc"] = logs[:, :9] @ np.arange(1, 10) + 0.5 * logs[:, 10]
    d = design_matrix(table)
    Q = np.linalg.qr(d.base)[0]
    X, y = d.X - Q @ (Q.T @ d.X), d.y - Q @ (Q.T @ d.y)
    _, best = best_of_every_size(project(d))
    for size in (2, 4, 8):
        model = abess.LinearRegression(support_size=size, fit_intercept=False)
        chosen = np.flatnonzero(model.fit(X, y).coef_)
        assert len(chosen) == size
        residual = y - X[:, chosen] @ np.linalg.lstsq(X[:, chosen], y, rcond=None)[0]
        assert best[size] <= residual @ residual + 1e-9
        if not collinear:  # there its splicing is known to arrive
            assert best[size] == pytest.approx(residual @ residual)
