import jax
import numpy as np
import pytest

import lcrjax
from lcrjax.numerics.progress import bar, each, listener, part, telling


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


def test_each_item_tells_the_share_before_it():
    told = []
    with telling(told.append), part(0.5, 1):
        assert list(each("abcd")) == list("abcd")
    assert told == [0.5, 0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    assert list(each("ab")) == ["a", "b"]


@pytest.mark.parametrize("relation", [None, lcrjax.PythonFunction(lambda x, y: float(x == y))])
def test_a_bar_shows_the_share_of_pairs_and_changes_no_number(relation, capsys, rng):
    images = rng.integers(0, 256, (40, 5, 5), np.uint8) if relation is None else list("abab" * 10)
    labels = np.arange(40) % 2
    for compute in (
        lambda **given: lcrjax.measure(images, labels, similarity=relation, **given).dataset_level,
        lambda **given: lcrjax.ordinariness(images, np.full(40, 1 / 40), relation, **given),
    ):
        plain = compute()
        assert capsys.readouterr().out == ""
        shown = compute(progress=True)
        assert "comparing" in (said := capsys.readouterr().out)
        assert said.count("100%") == 1
        assert jax.tree.all(jax.tree.map(np.array_equal, plain, shown))
    assert listener() is None


def test_there_is_one_bar_for_all(capsys):
    with bar("outer"), bar("inner"):
        listener()(0.5)
    said = capsys.readouterr().out
    assert "outer" in said
    assert "inner" not in said
