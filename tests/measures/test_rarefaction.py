import itertools

import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.measures.samples import Sample
from tests.measures.test_samples import GIRDLED, LOGGED

SPIDERS = pd.DataFrame({"girdled": [*GIRDLED, *[0] * 11], "logged": LOGGED})


def test_table():
    table = lcrjax.rarefy(SPIDERS, size=[100, 168, 300], resamples=20)
    assert list(table.columns) == ["dataset", "size", "coverage", "method", "q", "diversity",
                                   "standard_error", "lower", "upper"]  # fmt: skip
    assert table["dataset"].tolist() == ["girdled"] * 9 + ["logged"] * 9
    assert table["q"].tolist() == [0, 1, 2] * 6
    assert table["method"].tolist() == [
        *["rarefaction"] * 3, *["observed"] * 3, *["extrapolation"] * 3,
        *["rarefaction"] * 6, *["extrapolation"] * 3,
    ]  # fmt: skip
    for name, counts in (("girdled", GIRDLED), ("logged", LOGGED)):
        own, sample = table[table["dataset"] == name], Sample(counts)
        for m, rows in own.groupby("size"):
            np.testing.assert_allclose(rows["diversity"], sample.hill(m, np.arange(3)))
            np.testing.assert_allclose(rows["coverage"], sample.coverage(m))
    half = 1.959963985 * table["standard_error"]
    np.testing.assert_allclose(table["upper"] - table["diversity"], half)
    np.testing.assert_allclose(table["lower"], np.maximum(table["diversity"] - half, 1))


def test_intervals_begin_at_one():
    """Fewer elements than one there cannot be."""
    table = lcrjax.rarefy([30, 1, 1], size=[3, 5], q=(1, 2), resamples=20)
    assert (table["diversity"] - 1.96 * table["standard_error"]).max() < 1
    assert set(table["lower"]) == {1}


def test_one_coverage():
    table = lcrjax.rarefy(SPIDERS, coverage=[0.8, 0.96], resamples=0)
    assert table["standard_error"].isna().all()
    np.testing.assert_allclose(table["coverage"], np.tile(np.repeat([0.8, 0.96], 3), 2))
    sizes = table["size"].to_numpy()
    assert np.all((sizes[6:9] < 168) & (sizes[3] > 168))
    widest = lcrjax.rarefy(SPIDERS, q=0, resamples=0)  # the least of what twice the sizes reach
    np.testing.assert_allclose(widest["coverage"], Sample(GIRDLED).coverage(336))
    assert widest["size"][0] == pytest.approx(336)
    assert 252 < widest["size"][1] < 504


def test_the_same_seed_gives_the_same_intervals():
    first, again, other = (lcrjax.rarefy(SPIDERS, size=90, resamples=10, seed=s) for s in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first["standard_error"], other["standard_error"])


def test_intervals_cover_what_samples_of_that_size_have(rng):
    """Of 40 samples of a known source: the expected richness and others of 60 individuals."""
    p = 0.85 ** np.arange(40)
    p /= p.sum()
    draws = rng.multinomial(60, p, 4000) / 60
    logs = np.log(np.where(draws > 0, draws, 1))
    right = np.array([
        np.count_nonzero(draws, axis=1).mean(),
        np.exp(-np.sum(draws * logs, axis=1).mean()),
        1 / np.sum(draws**2, axis=1).mean(),
    ])  # fmt: skip
    inside = np.zeros(3)
    for i in range(40):
        table = lcrjax.rarefy(rng.multinomial(120, p), size=60, resamples=40, seed=i)
        inside += (table["lower"] <= right) & (right <= table["upper"])
    assert np.all(inside >= 34), inside  # 0.85 of nominal 0.95


@pytest.mark.parametrize("q", [0, 1, 2])
def test_similarity_sensitive_diversity_of_subsets(q, x64):
    counts, m = np.array([4, 3, 2, 1]), 4
    z = np.exp(-np.abs(np.subtract.outer(range(4), range(4))) / 2)
    individuals = np.repeat(range(4), counts)
    values = []
    for chosen in itertools.combinations(range(10), m):
        p = np.bincount(individuals[list(chosen)], minlength=4) / m
        values.append(float(lcrjax.power_mean(1.0 - q, p, 1 / (z @ p))))
    values = np.array(values)
    table = lcrjax.rarefy(counts, z, size=m, q=q, resamples=3000)
    mean = float(lcrjax.power_mean(1.0 - q, np.ones(len(values)), values))
    error = values.std() / np.sqrt(3000)
    assert abs(table["diversity"][0] - mean) < 4 * error
    assert table["standard_error"][0] == pytest.approx(values.std(), rel=0.1)


def test_of_the_identity_subsets_have_the_exact_means_as_their_limit():
    exact = lcrjax.rarefy(SPIDERS, size=100, resamples=0)
    drawn = lcrjax.rarefy(SPIDERS, np.eye(37), size=100, resamples=2000)
    off = (drawn["diversity"] - exact["diversity"]).abs()
    assert np.all(off < 4 * drawn["standard_error"] / np.sqrt(2000))
    whole = lcrjax.rarefy(SPIDERS, np.eye(37), size=168, resamples=2)
    assert whole["standard_error"][:3].tolist() == [0, 0, 0]
    np.testing.assert_allclose(whole["diversity"][:3], Sample(GIRDLED).hill(168, np.arange(3)))
    widest = lcrjax.rarefy(SPIDERS, np.eye(37), resamples=2)
    assert widest["size"].tolist() == [168] * 3 + [174] * 3


def test_labels_of_individuals(rng):
    labels = {"a": rng.choice(["x", "y", "z"], 30).tolist(), "b": np.array(["y"] * 9 + ["w"])}
    counts = pd.DataFrame({k: pd.Series(v).value_counts() for k, v in labels.items()}).fillna(0)
    for given, right in ((labels, counts), (labels["b"], counts[["b"]])):
        found = lcrjax.rarefy(given, size=8, resamples=0)["diversity"]
        np.testing.assert_allclose(found, lcrjax.rarefy(right, size=8, resamples=0)["diversity"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": 5, "coverage": 0.5}, "both size and coverage"),
        ({"size": 400}, "dataset 'girdled' of 168 individuals, whose diversity is known up to 336"),
        ({"coverage": 0.99}, "dataset 'girdled' .* up to 0.96357"),
        ({"size": 2.5}, "whole numbers"),
        ({"size": 0}, "at least 1"),
        ({"coverage": 1.5}, r"\(0, 1\]"),
        ({"size": 9, "q": np.inf}, "up to 100"),
        ({"size": 9, "resamples": 1}, "at least two"),
        ({"size": 9, "level": 1.0}, "between 0 and 1"),
        ({"size": 169, "similarity": np.eye(37)}, "'girdled' .* up to 168"),
        ({"size": 9, "similarity": np.eye(37), "resamples": 0}, "draw some"),
        ({"size": 9, "similarity": np.eye(36)}, "37 rows of counts"),
    ],
)
def test_what_cannot_be_compared(arguments, said):
    with pytest.raises(ValueError, match=said):
        lcrjax.rarefy(SPIDERS, **arguments)


def test_counts_are_of_individuals():
    with pytest.raises(ValueError, match=r"a count is 0\.5: .*whole numbers"):
        lcrjax.rarefy([0.5, 0.5], size=1)


def test_lists_of_any_lengths_are_datasets():
    ragged = {"girdled": GIRDLED.tolist(), "logged": LOGGED}
    pd.testing.assert_frame_equal(
        lcrjax.rarefy(ragged, size=100, resamples=10),
        lcrjax.rarefy(SPIDERS, size=100, resamples=10),
    )
    with pytest.raises(ValueError, match=r"girdled.*\(26,\).*one S for all"):
        lcrjax.rarefy(ragged, np.eye(37), size=100)
    with pytest.raises(ValueError, match="one S for all"):
        lcrjax.rarefy({"a": pd.Series([1, 2]), "b": pd.Series([1, 2, 3])}, size=2)
