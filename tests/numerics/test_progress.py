import pytest

from lcrjax.numerics.progress import listener, part, telling


def test_parts_nest_and_end():
    told = []
    with telling(told.append):
        with part(0.5, 1), part(0, 0.5):
            listener()(0.5)
        listener()(1.0)
    assert told == [0.5, 0.5, 0.625, 0.75, 1.0, 1.0]
    assert listener() is None


def test_nobody_is_told_of_parts():
    with part(0, 0.5):
        assert listener() is None
    with pytest.raises(KeyboardInterrupt), telling(print):
        raise KeyboardInterrupt
    assert listener() is None
