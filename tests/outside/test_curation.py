"""The curation experiment in small; its tables, from invented rows whose answers are known."""

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments import curation
from experiments.curation_tables import (
    against,
    against_text,
    by_dataset,
    differences,
    summary,
    summary_text,
    worth,
    worth_text,
)
from lcrjax.study.run.trainings import train_blocks
from tests.study import fake_parts as fake
from tests.study.run import on_ray

GAINS = {"herding": 0.04, "k-centre": -0.1, "facility location": 0.01, "k-means medoids": 0.02}


@pytest.fixture
def rows(rng):
    """BACC rises by 0.1 with each doubling; strategies differ by constants and a little noise."""
    out = []
    for name, level in (("one", 0.3), ("two", 0.4)):
        lucks = rng.normal(0, 0.05, 6)  # shared: differences are paired
        for size in (64, 128, 256):
            for repetition, luck in enumerate(lucks):
                score = level + 0.1 * np.log2(size / 64) + luck
                for strategy, gain in {"random": 0, **GAINS}.items():
                    bacc = score + gain + (strategy != "random") * rng.normal(0, 0.004)
                    out.append((name, size, repetition, strategy, bacc))
    return pd.DataFrame(out, columns=["dataset", "size", "repetition", "strategy", "bacc"])


def test_differences_are_paired(rows):
    found = differences(rows, "random")
    assert len(found) == 2 * 3 * 4
    line = found[(found.dataset == "one") & (found["size"] == 64) & (found.strategy == "herding")]
    cell = rows[(rows.dataset == "one") & (rows["size"] == 64)]
    table = cell.pivot(index="repetition", columns="strategy", values="bacc")
    interval = stats.ttest_rel(table.herding, table.random).confidence_interval(0.95)
    np.testing.assert_allclose(line[["low", "high"]].to_numpy()[0], interval, rtol=1e-9)


def test_datasets_and_summary(rows):
    apart = differences(rows, "random")
    datasets = by_dataset(apart)
    assert (datasets.low < datasets.difference).all()
    for row in datasets.itertuples():
        assert row.difference == pytest.approx(GAINS[row.strategy], abs=0.005)
        # Of three sizes with equal spread, narrower than that of one by about the root of three.
        assert 0.3 < (row.high - row.low) / 2 / (2.13 * 0.004 / np.sqrt(18)) < 2
    lines = summary(apart).set_index("strategy")
    assert lines.index[0] == "herding"
    assert lines.loc["herding", ["datasets", "positive", "above", "below"]].tolist() == [2, 2, 2, 0]
    assert lines.loc["k-centre", ["positive", "above", "below"]].tolist() == [0, 0, 2]
    assert "| herding | +4." in summary_text(summary(apart)).replace("+3.9", "+4.")
    beside = against(datasets)
    assert set(beside.best) == {"k-means medoids"}
    assert against_text(beside).count("\n") == 4


def test_one_repetition_has_no_interval(rows):
    few = differences(rows[rows.repetition == 0], "random")
    assert few.low.isna().all()
    assert by_dataset(few).low.isna().all()
    assert (summary(few).above == 0).all()


def test_worth_is_read_off_the_curve(rows):
    """0.04 are 0.4 doublings; beyond the last size nothing is known."""
    found = worth(rows)
    own = found[found.strategy == "herding"].set_index(["dataset", "size"]).ratio
    assert own["one", 64] == pytest.approx(2**0.4, rel=0.05)
    assert np.isinf(own["one", 256])
    assert worth_text(found).count("more") == 2


def small_experiment(patch, folder):
    """Let the experiment write to a folder, with few strategies and a training that is instant."""
    chosen = {
        "random": curation.STRATEGIES["random"],
        "herding": curation.STRATEGIES["herding"],
        "k-means medoids, labels unknown": curation.STRATEGIES["k-means medoids, labels unknown"],
        "random, labels unknown": curation.STRATEGIES["random, labels unknown"],
    }
    train = functools.partial(on_ray.train, log=f"{folder}.log")
    patch.setattr(curation, "RESULTS", folder)
    patch.setattr(curation, "STRATEGIES", chosen)
    patch.setattr(curation, "RANDOM_SIZES", (12, 18, 24, 96))
    patch.setattr(curation, "write", lambda folder: None)
    patch.setattr(curation, "train_blocks", functools.partial(train_blocks, train=train))
    folder.mkdir()
    return {"one": fake.dataset("one"), "two": fake.dataset("two", seed=1)}


def test_each_strategy_chooses_of_the_same_pool_and_is_trained_once(tmp_path, monkeypatch):
    data = small_experiment(monkeypatch, tmp_path / "s")
    curation.train(data, (12, 24), 1)
    first = pd.read_csv(tmp_path / "s" / "rows.csv")
    curation.train(data, (12, 24), 2)
    rows = pd.read_csv(tmp_path / "s" / "rows.csv")
    pd.testing.assert_frame_equal(rows[: len(first)], first)
    assert list(rows)[:5] == ["dataset", "size", "repetition", "strategy", "acc"]
    assert list(rows)[-1] == "classes"
    # All four at two sizes, two at one more, and a pool of 75 has no 96 images.
    keys = ["dataset", "size", "repetition", "strategy"]
    assert len(rows) == len(rows[keys].drop_duplicates()) == 2 * 2 * (4 + 4 + 2)
    assert sorted(set(rows["size"])) == [12, 18, 24]
    blocks = list(curation.blocks(data, (12, 24), 3))
    assert {block.index for block in blocks} == {2}
    for block in blocks:
        assert len(set(block.seeds.tolist())) == 1
        assert len(np.unique(block.subsets)) <= 75
        taken = dict(zip(block.design["strategy"], block.subsets, strict=True))
        counts = np.bincount(data[block.dataset].train_labels[taken["random"]])
        assert counts.tolist() == [block.n // 3] * 3
