import numpy as np
import pandas as pd
import pytest

import lcrjax

POINTS = np.array([0.0, 1.0, 3.0, 7.0])
D = np.abs(POINTS[:, None] - POINTS)


@pytest.mark.parametrize("scale", [1, 0.2])
def test_kinds(scale):
    found = lcrjax.from_distance(D, scale=scale)
    np.testing.assert_allclose(found.matrix, np.exp(-scale * D), rtol=1e-12)
    points = POINTS[:, None].astype("f4")
    np.testing.assert_allclose(
        lcrjax.ordinariness(np.arange(4), np.ones(4, "f4"), found),
        lcrjax.ordinariness(points, np.ones(4, "f4"), lcrjax.Laplacian(1 / scale)),
        rtol=1e-6,
    )
    linear = lcrjax.from_distance(D, "linear", scale)
    np.testing.assert_allclose(linear.matrix, np.clip(1 - scale * D, 0, None), rtol=1e-12)
    whole = lcrjax.from_distance(D.astype(int), scale=scale)
    np.testing.assert_allclose(whole.matrix, np.exp(-scale * D), rtol=1e-6)


def test_names_travel():
    names = list("abcd")
    z = lcrjax.from_distance(pd.DataFrame(D, index=names, columns=names))
    counts = pd.DataFrame({"n": [1, 2, 3, 4]}, index=names)
    assert lcrjax.diversity(counts, z).class_names == ("n",)
    with pytest.raises(ValueError, match="'a' and row 0 of the counts 'd'"):
        lcrjax.diversity(counts[::-1], z)


@pytest.mark.parametrize(
    ("distances", "arguments", "said"),
    [
        (D[:2], {}, r"shape \(2, 4\): give a square matrix"),
        (-D, {}, "elements 0 and 1 is -1: distances are not negative"),
        (D + 1, {}, "element 0 to itself is 1"),
        (np.where(D == 3, np.nan, D), {}, "elements 0 and 2 is nan"),
        (D, {"kind": "cubic"}, "'exponential' or 'linear'"),
        (D, {"scale": 0}, "number above 0"),
    ],
)
def test_no_distances(distances, arguments, said):
    with pytest.raises(ValueError, match=said):
        lcrjax.from_distance(distances, **arguments)
