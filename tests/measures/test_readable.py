import math

import pytest

from lcrjax.measures.readable import readable


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((13.2053, 13.183, 13.228, False), "13.205 ±0.023"),
        ((1234.5, 1100.0, 1240.0, False), "1234 ±134"),
        ((1.5, 1.5, 1.5, False), "1.5"),
        ((37.0037, 0.0, 37.0037, True), "≤ 37"),
        ((0.25, 0.25, math.inf, True), "≥ 0.25"),
        ((0.5, -0.5, 0.5, True), "≤ 0.5"),  # rho_hat of two classes
        ((2.0, 1.0, math.inf, False), "2 ±inf"),
        ((math.nan, math.nan, math.nan, False), "nan"),
    ],
)
def test_what_is_written(given, said):
    assert readable(*given) == said
