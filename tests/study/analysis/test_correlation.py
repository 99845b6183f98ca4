import numpy as np
import pytest

from lcrjax.study.analysis.correlation import cluster, squared_correlations
from lcrjax.study.columns import FEATURES


def test_squared_correlations_equal_numpys(correlated):
    table = correlated()
    found = squared_correlations(table)
    expected = np.corrcoef(np.log(table[list(FEATURES)].to_numpy(float)).T) ** 2
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert list(found.columns) == list(FEATURES)


def test_within_takes_out_what_tells_datasets_apart(correlated):
    table = correlated()
    table["A_1"] = table["A_0"] * table["n_classes"]
    pooled = squared_correlations(table, ("A_0", "A_1"))
    within = squared_correlations(table, ("A_0", "A_1"), within="dataset")
    assert within.loc["A_0", "A_1"] == pytest.approx(1)
    assert pooled.loc["A_0", "A_1"] < 0.95


def test_clusters_lie_together_and_hold_what_is_nearly_the_same(correlated):
    table = correlated()
    r2 = squared_correlations(table)
    ordered, labels, tree = cluster(r2)
    assert sorted(ordered.columns) == sorted(FEATURES)
    assert list(ordered.columns) == list(ordered.index) == list(labels.index)
    np.testing.assert_array_equal(ordered, r2.loc[ordered.index, ordered.columns])
    assert set(np.diff(labels)) <= {0, 1}
    assert labels["A_0"] == labels["A_1"]
    assert tree.shape == (26, 4)


def test_constant_features_are_left_out_and_said_to_be(correlated):
    found = squared_correlations(correlated().assign(size=64))
    assert "size" not in found
    assert found.attrs["dropped"] == {"size": "constant"}
    with pytest.raises(ValueError, match="2 complete rows and"):
        squared_correlations(correlated().head(2))
