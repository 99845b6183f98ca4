import dataclasses
import re

import jax
import numpy as np
import pytest

import lcrjax
from lcrjax.measures.family import MEASURES

S, C = 12, 3
Q = (0.0, 0.5, 1.0, 1 + 1e-7, 2.0, 30.0, np.inf)


def example():
    return np.arange(1, S * C + 1).reshape(S, C), np.exp(
        -np.abs(np.subtract.outer(range(S), range(S)))
    )


def test_table():
    counts, z = example()
    found = lcrjax.diversity(dict(zip("xyz", counts.T, strict=True)), z, q=Q)
    for entropy in (False, True):
        table = found.to_frame(entropy=entropy)
        assert list(table.columns) == ["level", "q", *MEASURES]
        assert table["level"].tolist() == ["dataset", "x", "y", "z"] * len(Q)
        np.testing.assert_allclose(table["q"], np.repeat(np.float32(Q), 4))
        dataset = found.dataset_entropy if entropy else found.dataset_level
        classes = found.class_entropy if entropy else found.class_level
        for name in MEASURES:
            rows = table[name].to_numpy().reshape(len(Q), 4)
            np.testing.assert_array_equal(rows[:, 0], dataset[name])
            np.testing.assert_array_equal(rows[:, 1:], classes[name])


def test_intervals():
    """Their ends are those of two results, in arrays and in the table."""
    counts, z = example()
    low, own, high = (lcrjax.diversity(counts**power, z, q=Q) for power in (1, 2, 3))
    assert own.dataset_interval is own.class_interval is None
    found = dataclasses.replace(own, lower=low, upper=high)
    table, entropies = found.to_frame(), found.to_frame(entropy=True)
    assert list(table.columns[11:14]) == ["alpha_low", "alpha_high", "rho_low"]
    for end, part in enumerate((low, high)):
        word = ("low", "high")[end]
        for name in MEASURES:
            np.testing.assert_array_equal(
                found.dataset_interval[name][:, end], part.dataset_level[name]
            )
            np.testing.assert_array_equal(
                found.class_interval[name][:, :, end], part.class_level[name]
            )
            np.testing.assert_array_equal(table[f"{name}_{word}"], part.to_frame()[name])
            np.testing.assert_array_equal(
                entropies[f"{name}_{word}"], part.to_frame(entropy=True)[name]
            )
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.lower = None


def test_traced_numbers_give_what_those_at_hand_give(rng, x64):
    """Of `diversity` and `measure`: under jit the same formulas, compiled."""
    counts = rng.integers(0, 9, (S, C)) + np.eye(S, C)
    z = np.exp(-rng.random((S, S)))
    np.fill_diagonal(z, 1)
    images, labels = rng.random((S, 3, 2)), np.arange(S) % C
    for given_array, program in (
        (counts, lambda counts: lcrjax.diversity(counts, z, q=Q)),
        (images, lambda images: lcrjax.measure(images, labels, q=Q)),
    ):
        found, under_jit = program(given_array), jax.jit(program)(given_array)
        for name in MEASURES:
            if not name.endswith("hat"):
                for level in ("class_level", "dataset_level", "class_entropy", "dataset_entropy"):
                    here, there = (getattr(x, level)[name] for x in (found, under_jit))
                    np.testing.assert_allclose(here, there, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(found.class_balance, under_jit.class_balance, rtol=1e-11)


def test_is_shown_as_a_small_table(rng):
    counts = {"cat": [1, 2, 0], "dog": [0, 1, 1]}
    found = lcrjax.diversity(counts, q=(0, 1, np.inf))
    title, header, *rows = repr(found).splitlines()
    assert title == "Diversity of 2 classes"
    assert header.split()[:3] == ["q", "alpha", "normalized_rho"]
    assert [row.split()[0] for row in rows] == ["0", "1", "inf"]
    assert float(rows[1].split()[1]) == pytest.approx(float(found.dataset_level["alpha"][1]), 1e-5)

    seen = []
    many = jax.vmap(lambda c: (seen.append(lcrjax.diversity(c)), seen[0])[1])(rng.random((2, 3, 2)))
    for other in (seen[0], many, jax.tree.map(lambda leaf: None, found)):
        assert "Diversity of 2 classes" in repr(other)


def test_a_notebook_shows_a_table_and_a_profile():
    counts, z = example()
    found = lcrjax.diversity(dict(zip(["<b>", "y", "z"], counts.T, strict=True)), z, q=Q)
    html = found._repr_html_()
    assert f"{float(found.dataset_level['alpha'][0]):.6g}" in html
    assert html.count("<tr") == 1 + len(Q)
    points = re.search('points="([^"]*)"', html)[1].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert len(heights) == len(Q)
    assert heights == sorted(heights)  # a profile falls, and SVG counts from the top
    assert "<svg" not in lcrjax.diversity(counts, z, q=[0, 1])._repr_html_()
