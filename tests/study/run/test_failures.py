import numpy as np
import pytest

from lcrjax.study.design.config import StudyConfig
from lcrjax.study.run.store import ROWS
from lcrjax.study.table import same_results
from lcrjax.training import Progress
from tests.study import fake_parts as fake
from tests.study.fake_parts import run_study

CONFIG_SMALL = StudyConfig(sizes=(16, 32), bins=6, per_bin=4, candidates=500)


def refuse(predicate, error):
    def train(dataset, subsets, seeds, config, *, progress=None):
        if any(predicate(s) for s in seeds):
            raise error
        progress(Progress(len(seeds), len(seeds), 0, 3, 10, 0.1))
        return fake.train(dataset, subsets, seeds, config)

    return train


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes"), "out of memory"),
        (RuntimeError("no such luck\nmore"), "RuntimeError: no such luck"),
    ],
)
def test_a_subset_that_cannot_be_trained_is_recorded(tmp_path, error, reason):
    data = [fake.dataset()]
    whole = run_study(data, tmp_path / "whole", CONFIG_SMALL)
    victim = whole["seed"][3]
    told = []
    train = refuse(lambda s: s == victim, error)
    table = run_study(data, tmp_path / "cut", CONFIG_SMALL, train=train, progress=told.append)

    failed = table[table["failure"].notna()]
    assert failed["seed"].tolist() == [victim]
    assert failed["failure"].tolist() == [reason]
    assert failed["bacc"].isna().all()
    assert np.isfinite(failed["A_0"]).all()
    others = table["seed"] != victim
    assert same_results(
        table[others].drop(columns="failure"), whole[others].drop(columns="failure")
    )
    assert all(t.training.finished <= t.training.total for t in told if t.training)
    # A recorded failure is a finished row.
    train = refuse(lambda s: True, AssertionError())
    assert same_results(run_study(data, tmp_path / "cut", CONFIG_SMALL, train=train), table)


def test_too_little_memory_for_all_is_recorded(tmp_path):
    train = refuse(lambda s: True, MemoryError())
    table = run_study([fake.dataset()], tmp_path, CONFIG_SMALL, train=train)
    assert (table["failure"] == "out of memory").all()
    assert table["bacc"].isna().all()


def test_a_fault_that_is_not_the_subsets_ends_the_study_and_records_nothing(tmp_path):
    train = refuse(lambda s: True, RuntimeError("lost GPU"))
    with pytest.raises(RuntimeError, match="lost GPU"):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL, train=train)
    assert not list((tmp_path / ROWS).iterdir())


def test_an_error_of_the_callers_callback_is_not_taken_for_one_of_training(tmp_path):
    train = refuse(lambda s: False, MemoryError())

    def callback(progress):
        if progress.training:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL, train=train, progress=callback)
    assert not list((tmp_path / ROWS).iterdir())
