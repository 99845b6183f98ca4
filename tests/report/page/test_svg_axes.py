import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lcrjax.report.page.svg_axes import ticks_within, value_axis

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(NUMBERS, st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_numbers_within_the_range(low, span, count):
    high = low + span * max(1.0, abs(low))
    ticks = np.array(ticks_within(low, high, count))
    assert 2 <= len(ticks) <= 2 * count + 1
    assert low <= ticks.min() <= ticks.max() <= high
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[:1].repeat(len(steps)), rtol=1e-6)
    for step in steps[:1]:
        leading = step / 10 ** np.floor(np.log10(step * (1 + 1e-9)))
        assert np.isclose([1, 2, 5], leading, rtol=1e-6).any()


def test_an_axis_has_air_around_all_finite_values():
    low, high, ticks = value_axis([np.array([1.0, np.inf]), np.array([[3.0], [np.nan]])])
    assert low < 1 < 3 < high < 3.5
    assert [tick.text for tick in ticks] == ["1", "1.5", "2", "2.5", "3"]
    for values in ([np.array([2.0])], [np.array([np.nan])]):
        low, high, ticks = value_axis(values)
        assert low < high
        assert ticks
