import jax
import numpy as np
import pytest

from lcrjax.measures.viewpoints import one_or_several, single_viewpoint, viewpoints


def test_viewpoints_are_rounded_lists():
    np.testing.assert_array_equal(viewpoints(1, np.float32), [1])
    assert viewpoints([0, np.inf], np.float32).dtype == np.float32
    assert jax.jit(lambda q: viewpoints(q, np.float32))(-1.0) == -1


@pytest.mark.parametrize("bad", [-1, np.nan, 1j, "one", [], [[1]]])
def test_bad_viewpoints(bad):
    with pytest.raises(ValueError, match="viewpoint"):
        viewpoints(bad, np.float32)
    if bad != []:
        with pytest.raises(ValueError, match="viewpoint"):
            single_viewpoint(bad)
    with pytest.raises(ValueError, match="viewpoint"):
        one_or_several(bad)


@pytest.mark.parametrize("q", [2, [0, 1, np.inf]])
def test_one_or_several_keep_their_shape(q):
    np.testing.assert_array_equal(one_or_several(q), q)
    assert one_or_several(q).dtype == np.float64
