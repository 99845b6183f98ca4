import re

import numpy as np

from lcrjax.measures.small_profile import profile_svg


def points(svg):
    return [tuple(map(float, p.split(","))) for p in re.search('points="([^"]*)"', svg)[1].split()]


def test_a_profile_spans_the_axes():
    """Of 240 x 90 with margins of 14: q = 5 lies in the middle, infinity on the right."""
    svg = profile_svg(np.array([np.inf, 0, 5, 1]), np.array([1.0, 4.0, 2.0, np.nan]))
    assert points(svg) == [(14, 14), (120, 45), (226, 60.5)]
    assert "from 0 to inf" in svg
    assert "A up to 4<" in svg
    assert points(profile_svg(np.arange(3.0), np.zeros(3)))[0] == (14, 76)
    assert points(profile_svg(np.arange(3.0), np.full(3, 0.5)))[0] == (14, 14)


def test_two_points_are_no_profile():
    assert profile_svg(np.arange(3.0), np.array([1, 2, np.inf])) == ""
