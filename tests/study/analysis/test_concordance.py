import itertools

import numpy as np
import pytest

from lcrjax.study.analysis.concordance import pairwise_concordance


def by_hand(table, feature, same_size):
    right = wrong = tied = 0
    for a, b in itertools.combinations(table.itertuples(), 2):
        if a.dataset != b.dataset or a.bacc == b.bacc or (same_size and a.size != b.size):
            continue
        x, y = getattr(a, feature), getattr(b, feature)
        if x == y:
            tied += 1
        elif (x > y) == (a.bacc > b.bacc):
            right += 1
        else:
            wrong += 1
    return right, wrong, tied


@pytest.mark.parametrize("same_size", [True, False])
def test_counts_equal_a_loop_over_pairs(correlated, same_size):
    table = correlated(rows=60)
    table["CB_1"] = table["CB_1"].round(1).clip(lower=0.1)
    table["bacc"] = table["bacc"].round(2)
    found = pairwise_concordance(table, ("A_0", "CB_1", "size"), same_size=same_size)
    for row in found.itertuples():
        right, wrong, tied = by_hand(table, row.feature, same_size)
        assert (row.concordant, row.discordant, row.tied) == (right, wrong, tied)
        assert row.concordance == pytest.approx((right + tied / 2) / (right + wrong + tied))
        assert row.lowest <= row.concordance <= row.highest
    assert found.attrs["target_ties"] > 0


def test_size_is_a_coin_among_subsets_of_one_size(correlated):
    found = pairwise_concordance(correlated()).set_index("feature")
    assert found.loc["size", "concordance"] == 0.5
    assert found.loc["size", "tied"] == found.loc["size", "pairs"]


def test_the_score_itself_is_always_right(correlated):
    table = correlated()
    found = pairwise_concordance(table.assign(A_0=np.exp(table.bacc), A_1=np.exp(-table.bacc)))
    found = found.set_index("feature")
    assert found.loc["A_0", "concordance"] == 1
    assert found.loc["A_1", "concordance"] == 0


def test_rounding_is_no_difference(correlated):
    table = correlated()
    rng = np.random.default_rng(0)
    noise = 1e-8 * rng.normal(size=len(table))
    found = pairwise_concordance(table.assign(A_0=2 * (1 + noise)), ("A_0",))
    assert found.tied.item() == found.pairs.item()


def test_bad_input(correlated):
    table = correlated()
    with pytest.raises(ValueError, match="no column 'dataset'"):
        pairwise_concordance(table.drop(columns="dataset"))
    with pytest.raises(ValueError, match="differ in score: add subsets"):
        pairwise_concordance(table.assign(bacc=0.5))
