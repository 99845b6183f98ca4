import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lcrjax.study.design.compositions import Compositions


def all_compositions(total, caps):
    ranges = (range(1, cap + 1) for cap in caps)
    return [parts for parts in itertools.product(*ranges) if sum(parts) == total]


@pytest.mark.parametrize(
    ("total", "caps"),
    [
        (9, [9, 9, 9]),  # caps that bind nowhere
        (9, [2, 9, 4]),
        (11, [3, 4, 6]),  # near the caps' sum: the mirrored half
        (7, [7, 1, 3, 2]),
        (12, [5, 5, 5]),
    ],
)
def test_every_composition_is_equally_likely(total, caps):
    possible = all_compositions(total, caps)
    drawn = Compositions(total, caps).sample(20_000, np.random.default_rng(3))

    counts = dict.fromkeys(possible, 0)
    for parts in map(tuple, drawn.tolist()):
        counts[parts] += 1  # a KeyError is a composition that may not occur

    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


@given(st.data())
def test_rows_are_compositions_within_the_caps(data):
    caps = data.draw(st.lists(st.integers(1, 60), min_size=2, max_size=12))
    total = data.draw(st.integers(len(caps), sum(caps)))

    parts = Compositions(total, caps).sample(50, np.random.default_rng(0))

    assert parts.shape == (50, len(caps))
    assert (parts.sum(axis=1) == total).all()
    assert (parts >= 1).all()
    assert (parts <= caps).all()


def test_tight_caps_leave_one_composition():
    parts = Compositions(30, [5, 10, 15]).sample(10, np.random.default_rng(0))
    assert (parts == [5, 10, 15]).all()


def test_caps_that_reject_almost_everything_keep_the_exact_mean():
    # Free compositions of 1000 into 8 parts with all parts <= 130 occur about once in 10^5.
    parts = Compositions(1000, [130] * 8).sample(20_000, np.random.default_rng(1))
    # Exchangeable parts: each has mean 125, and the rows' mean is exact.
    assert parts.max() == 130
    assert abs(parts.mean(axis=0) - 125).max() < 0.1


def test_first_part_follows_its_exact_marginal_with_many_classes():
    total, classes = 2048, 200
    first = Compositions(total, [total] * classes).sample(20_000, np.random.default_rng(2))[:, 0]
    below = [
        1 - math.comb(total - 1 - k, classes - 1) / math.comb(total - 1, classes - 1)
        for k in range(1, 120)
    ]
    empirical = [(first <= k).mean() for k in range(1, 120)]
    assert np.abs(np.subtract(below, empirical)).max() < 1.63 / math.sqrt(len(first))  # KS at 1 %


@pytest.mark.parametrize(("total", "caps"), [(2, [5, 5, 5]), (16, [5, 5, 5]), (3, []), (4, [4, 0])])
def test_impossible_totals_are_refused(total, caps):
    with pytest.raises(ValueError, match="no composition"):
        Compositions(total, caps)
