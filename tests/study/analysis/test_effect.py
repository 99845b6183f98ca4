from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from lcrjax.report.figures.boxes import equal_bins
from lcrjax.study import read_results
from lcrjax.study.analysis.effect import top_effect

PANEL = Path(__file__).parents[3] / "experiments" / "results" / "panel" / "results.parquet"


def median_over_orders(rows, column, count):
    """Mean median score of the `count` highest, over all choices among those tied at the border."""
    value, score = rows[column].to_numpy(), rows["bacc"].to_numpy()
    border = np.sort(value)[-count]
    sure, tied = score[value > border], score[value == border]
    choices = combinations(tied, count - len(sure))
    return np.mean([np.median([*sure, *choice]) for choice in choices])


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.9, 1.0])
def test_tops_hold_equal_counts_and_ties_are_averaged_over_all_choices(correlated, fraction, rng):
    table = correlated(rows=47, datasets=3)
    table["A_0"] = rng.choice([1.0, 2.0, 3.0, 5.0, 8.0], len(table))
    found = top_effect(table, fraction=fraction, resamples=5).set_index("dataset")
    for name, rows in table.groupby("dataset"):
        count, row = round(fraction * len(rows)), found.loc[name]
        assert row.n_feature == row.n_against == count
        assert row.median_feature == pytest.approx(median_over_orders(rows, "A_0", count))
        assert row.median_against == pytest.approx(median_over_orders(rows, "size", count))
        assert row.difference == pytest.approx(row.median_feature - row.median_against)
        assert row.ratio == pytest.approx(row.median_feature / row.median_against)
    each = found.drop(index="median")
    assert found.loc["median", "ratio"] == pytest.approx(each.ratio.median())
    assert found.loc["median", "difference"] == pytest.approx(each.difference.median())


def highest(values, count, rng):
    """Places of the highest of each row, ties in random order."""
    return np.lexsort((rng.random(values.shape), values), axis=1)[:, -count:]


def test_resamples_choose_their_tops_again(correlated, rng):
    """Against a bootstrap with one random order in each resample."""
    table = correlated(rows=80, datasets=1)
    found = top_effect(table, resamples=4000).iloc[0]
    drawn = rng.integers(0, 80, (4000, 80))
    score, *features = (table[c].to_numpy()[drawn] for c in ("bacc", "A_0", "size"))
    tops = (np.take_along_axis(score, highest(values, 20, rng), axis=1) for values in features)
    ratio = np.divide(*(np.median(top, axis=1) for top in tops))
    np.testing.assert_allclose(
        [found.lower, found.upper], np.quantile(ratio, [0.025, 0.975]), atol=0.01
    )


def test_the_panels_numbers_by_many_random_orders(rng):
    """Quarters by size hold all from 512 images up and one of 256; breast's 4 of 512 and 10."""
    table = read_results(PANEL)
    found = top_effect(table, resamples=1).set_index("dataset")
    for name, rows in table.groupby("dataset"):
        size, score, count = rows["size"].to_numpy(), rows.bacc.to_numpy(), round(len(rows) / 4)
        orders = highest(np.tile(size, (4000, 1)), count, rng)
        mean = np.median(score[orders], axis=1).mean()
        assert found.loc[name, "median_against"] == pytest.approx(mean, abs=5e-4)
        by_feature = rows.nlargest(count, "A_0").bacc.median()
        assert found.loc[name, "median_feature"] == pytest.approx(by_feature)
    each = found.drop(index="median")
    assert found.loc["median", "ratio"] - 1 == pytest.approx(0.025, abs=5e-4)
    assert (each.ratio > 1).sum() == 6
    assert (each.n_feature == each.n_against).all()
    assert set(each.n_against) == {14, 17}  # breast has 56 subsets, the others 68


def test_figure_3_compares_its_last_boxes():
    table = read_results(PANEL)
    found = top_effect(table, fraction=None, resamples=1).set_index("dataset")
    for name, rows in table.groupby("dataset"):
        bins = equal_bins(rows["A_0"], rows["size"].nunique())
        highest, largest = rows[bins == bins.max()], rows[rows["size"] == rows["size"].max()]
        row = found.loc[name]
        assert (row.n_feature, row.n_against) == (len(highest), len(largest))
        assert row.median_feature == pytest.approx(highest.bacc.median())
        assert row.median_against == pytest.approx(largest.bacc.median())
    assert found.loc["median", "ratio"] - 1 == pytest.approx(-0.041, abs=5e-4)
    assert (found.drop(index="median").ratio > 1).sum() == 1


def test_with_one_size_figure_3_compares_everything_with_itself(correlated):
    found = top_effect(correlated().assign(size=64), fraction=None, resamples=1)
    np.testing.assert_array_equal(found["ratio"], 1)


def test_a_feature_against_itself_has_no_effect(correlated):
    found = top_effect(correlated(), "A_0", "A_0", resamples=20)
    np.testing.assert_array_equal(found["difference"], 0)
    np.testing.assert_array_equal(found[["ratio", "lower", "upper"]], 1)


def test_bad_input(correlated):
    with pytest.raises(ValueError, match=r"fraction is 0\.0: give a number in"):
        top_effect(correlated(), fraction=0.0)
    with pytest.raises(ValueError, match="no column 'dataset'"):
        top_effect(correlated().drop(columns="dataset"))
