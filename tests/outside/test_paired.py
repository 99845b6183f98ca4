from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments import paired
from experiments.paired import Rows, difference, random_subsets
from experiments.precision import verdict
from lcrjax.training import TrainingConfig


@pytest.fixture
def trained(monkeypatch):
    """Seeds of the models that were trained, of which only every call's list is kept."""
    calls = []

    def train(dataset, subsets, seeds, config):
        calls.append(list(seeds))
        numbers = np.asarray(list(seeds), float)
        return pd.DataFrame(
            {"bacc": numbers / 10, "epochs": 5, "converged": True, "seconds": numbers}
        )

    monkeypatch.setattr(paired, "train_subsets", train)
    return calls


def test_rows_go_on_where_they_were_cut_off(trained, tmp_path):
    dataset = SimpleNamespace(name="blood")
    subsets = random_subsets(np.zeros(50), 8, 5)

    def rows():
        return Rows(tmp_path, "precision", {"table.md": lambda table: f"{len(table)} rows\n"})

    rows().train(dataset, subsets[:2], "float32", TrainingConfig())
    rows().train(dataset, subsets, "float32", TrainingConfig())
    rows().train(dataset, subsets, "float32", TrainingConfig())
    rows().train(dataset, subsets[:3], "bfloat16", TrainingConfig())
    assert trained == [[0, 1], [2, 3, 4], [0, 1, 2]]
    table = pd.read_csv(tmp_path / "rows.csv")
    assert list(table["subset"]) == [0, 1, 2, 3, 4, 0, 1, 2]
    np.testing.assert_allclose(table["bacc"], table["subset"] / 10)
    assert (tmp_path / "table.md").read_text() == "8 rows\n"


def test_more_subsets_are_the_same_subsets_and_more():
    few, many = (random_subsets(np.zeros(50), 8, count) for count in (2, 5))
    np.testing.assert_array_equal(many[:2], few)
    assert all(len(set(subset)) == 8 for subset in many)


def test_difference_is_a_mean_and_its_standard_error():
    assert difference(pd.Series([1.0, 3.0])) == (2.0, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        ([0.0] * 39, "Too few pairs"),
        ([0.02, 0.021] * 20, "differs by more than noise"),
        ([0.1, -0.1] * 20, "could hide in the noise"),
        ([0.001, -0.001] * 20, "unchanged within noise"),
    ],
)
def test_verdict(apart, words):
    assert words in verdict(pd.Series(apart))
