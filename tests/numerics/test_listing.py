import numpy as np

from lcrjax.numerics.listing import listed


def test_not_too_many_are_named():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(np.arange(4), 3) == "0, 1, 2, ..."
    assert listed({}) == ""
