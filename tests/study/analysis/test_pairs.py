import itertools

import numpy as np
import pytest

from lcrjax.study.analysis.pairs import PairBootstrap, Pairs

DATASETS = np.repeat(["b", "a"], [7, 9])


def drawn_by_hand(pairs, weights, matrices):
    """Sum and number over all pairs of different rows among those drawn."""
    total = count = 0
    for w, m, c in zip(weights, matrices, pairs.counted, strict=True):
        places = np.repeat(np.arange(len(w)), w.astype(int))
        for i, j in itertools.permutations(places, 2):
            if i != j and c[i, j]:
                total, count = total + m[i, j], count + 1
    return total / count


def test_resampled_means_are_those_of_the_rows_drawn():
    rng = np.random.default_rng(0)
    pairs = Pairs.of(DATASETS, rng.integers(0, 2, 16))
    assert pairs.datasets == ("a", "b")
    values = [rng.normal(size=(n, n)) for n in (9, 7)]
    drawn = PairBootstrap(pairs, resamples=25)
    by_row, by_dataset = drawn._weights
    means = [drawn_by_hand(pairs, [w[r] for w in by_row], values) for r in range(25)]
    sums = np.array([m[c].sum() for m, c in zip(values, pairs.counted, strict=True)])
    counts = np.array([c.sum() for c in pairs.counted])
    wholes = (by_dataset @ sums) / (by_dataset @ counts)
    found = drawn.intervals(values)
    for name, expected in (("subsets", means), ("datasets", wholes)):
        ends = [found[f"{end}_{name}"] for end in ("lower", "upper")]
        np.testing.assert_allclose(ends, np.quantile(expected, [0.025, 0.975]), rtol=1e-10)
    assert pairs.mean(values) == pytest.approx(sums.sum() / counts.sum())


def test_the_interval_of_a_mean_over_pairs_is_that_of_the_mean():
    x = np.random.default_rng(1).normal(size=80)
    pairs = Pairs.of(np.zeros(80, int))
    found = PairBootstrap(pairs, resamples=4000).intervals([(x[:, None] + x) / 2])
    half = 1.96 * x.std() / np.sqrt(80)
    assert found["upper_subsets"] - found["lower_subsets"] == pytest.approx(2 * half, rel=0.08)
    assert found["lower_datasets"] == found["upper_datasets"]  # one dataset has no other


def test_pairs_of_one_size_and_in_one_order():
    sizes = np.array([1, 1, 2, 1])
    pairs = Pairs.of(np.zeros(4, int), sizes)
    differences = pairs.differences(np.array([0.0, 1.0, 5.0, 3.0]))
    assert sorted(pairs.listed(differences)) == [1, 2, 3]
    assert pairs.sums(differences) == 0
    assert np.isnan(pairs.among([np.zeros((4, 4), bool)]).mean(differences))
