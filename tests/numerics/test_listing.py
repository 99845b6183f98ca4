import numpy as np

from lcrjax.numerics.listing import counted, listed


def test_not_too_many_are_named():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(np.arange(4), 3) == "0, 1, 2, ..."
    assert listed({}) == ""
    assert listed("abcdefghijkl") == "a, b, c, d, e, f, g, h, i, j, k, l"
    assert listed("abcdefghijklm") == "a, b, c, d, e, f, g, h, i, j, k, l, ..."


def test_one_is_no_plural():
    assert [counted(n, "file") for n in (0, 1, 2000)] == ["0 files", "1 file", "2,000 files"]
    assert [counted(n, "class", "classes") for n in (1, 2)] == ["1 class", "2 classes"]
