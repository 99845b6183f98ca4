import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform

from lcrjax.report.figures.clustered import balanced_sample, cluster_order


def test_blocks_come_back_together(rng):
    block = np.repeat(np.arange(4), [5, 9, 2, 14])
    shuffled = rng.permutation(block)
    z = np.where(shuffled[:, None] == shuffled, 0.9, 0.2) + 0.05 * rng.random((30, 30))
    found = shuffled[cluster_order(z)]
    assert np.count_nonzero(np.diff(found)) == 3


def test_the_order_is_the_best_of_the_tree(rng):
    points = rng.normal(size=(40, 3))
    z = np.exp(-squareform(pdist(points)))
    order = cluster_order(z)
    assert sorted(order) == list(range(40))
    between = squareform(pdist(z))
    plain = linkage(z, "average")

    def length(leaves):
        return between[leaves[:-1], leaves[1:]].sum()

    assert length(order) < length(leaves_list(plain))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_elements(n):
    assert sorted(cluster_order(np.eye(n))) == list(range(n))


@pytest.mark.parametrize(
    ("z", "text"), [(np.ones((2, 3)), "must be square"), (np.full((3, 3), np.nan), "holds NaN")]
)
def test_what_is_no_similarity_matrix_is_refused(z, text):
    with pytest.raises(ValueError, match=text):
        cluster_order(z)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 5))
def test_samples_are_as_balanced_as_can_be(labels, count, seed):
    labels = np.array(labels)
    sample = balanced_sample(labels, count, seed=seed)
    assert len(sample) == len(set(sample)) == min(count, len(labels))
    there = np.bincount(labels, minlength=5)
    taken = np.bincount(labels[sample], minlength=5)
    # A class has fewer than the most of any other, by more than one, only if it is used up.
    short = taken < taken.max() - 1
    np.testing.assert_array_equal(taken[short], there[short])
    np.testing.assert_array_equal(sample, balanced_sample(labels, count, seed=seed))


def test_seeds_give_other_samples():
    labels = np.repeat(np.arange(3), 100)
    assert not np.array_equal(balanced_sample(labels, 30), balanced_sample(labels, 30, seed=1))
    with pytest.raises(ValueError, match="at least"):
        balanced_sample(labels, 0)
