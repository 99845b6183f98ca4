import dataclasses
import signal

import numpy as np
import pandas as pd
import pytest

from lcrjax.study import StudyConfig, add_measures, read_results, same_results
from lcrjax.study.columns import COLUMNS, DESIGN, LATER
from lcrjax.study.run.store import RESULTS
from lcrjax.study.table import SCHEMA, decode, encode
from lcrjax.training import TrainingConfig
from tests.study import fake_parts as fake
from tests.study.fake_parts import run_study

CONFIG = StudyConfig(sizes=(12, 18), vary="diversity", levels=3, per_bin=2)
BOTH = StudyConfig(sizes=(12,), vary="both", levels=2, bins=3, per_bin=1, candidates=300)
DATA = fake.dataset(counts=(60, 40, 50))


def test_only_diversity_varies(tmp_path):
    table = run_study([DATA], tmp_path, CONFIG)
    assert list(table.columns) == [*SCHEMA.names, *(column.name for column in DESIGN)]
    assert len(table) == 2 * 3 * 2 * 2
    assert (table.groupby(["n", "outliers", "level"]).size() == 2).all()
    assert np.ptp(table["CB_1"]) < 1e-12
    assert (table["composition"] == 0).all()


def test_every_balance_has_every_level(tmp_path):
    table = run_study([DATA], tmp_path, BOTH)
    cells = table.groupby(["composition", "outliers", "level"]).size()
    assert (cells == 1).all()
    assert len(cells) == table["composition"].nunique() * 2 * 2
    balances = table.groupby("composition")["CB_1"].agg(["min", "max"])
    assert table["composition"].nunique() == 2  # the lowest bin is empty
    assert (balances["max"] - balances["min"] < 1e-12).all()
    assert balances["max"].is_monotonic_increasing


def test_it_goes_on_where_it_stopped_and_is_measured_again(tmp_path):
    config = dataclasses.replace(CONFIG, sizes=(12,))
    whole = run_study([DATA], tmp_path / "whole", config, block_size=lambda *_: 3)

    def stop(progress):
        if progress.stage == "written":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_study([DATA], tmp_path / "cut", config, block_size=lambda *_: 3, progress=stop)
    cut = run_study([DATA], tmp_path / "cut", config, block_size=lambda *_: 3)
    assert same_results(cut, whole)
    added = add_measures(tmp_path / "cut", ["rmsd:10"], [DATA])
    level = added.groupby("level")["A_1[rmsd:10]"].mean()
    assert level.is_monotonic_increasing

    path = tmp_path / "cut" / RESULTS
    table, provenance = decode(path)
    table.loc[3, "checksum"] += 1
    path.write_bytes(encode(table, provenance, (*COLUMNS, *DESIGN)))
    with pytest.raises(ValueError, match="has other subsets of toy than are designed here"):
        add_measures(tmp_path / "cut", ["rmsd:3"], [DATA])


def test_scores_beyond_the_stop_are_in_the_table(tmp_path):
    recipe = TrainingConfig(beyond=30)
    config = StudyConfig(sizes=(12,), vary="diversity", levels=2, per_bin=1, training=recipe)
    told = []

    def train(dataset, subsets, seeds, config, *, progress=None):
        if 2 in told:
            raise MemoryError
        told.append(len(seeds))
        return fake.train(dataset, subsets, seeds, config)

    table = run_study([DATA], tmp_path, config, train=train, block_size=lambda *_: 2)
    names = [column.name for column in (*DESIGN, *LATER)]
    assert list(table.columns) == [*SCHEMA.names, *names]
    assert table["bacc_beyond"].notna().tolist() == [True, True, False, False]
    assert table["failure"].isna().tolist() == [True, True, False, False]
    pd.testing.assert_frame_equal(read_results(tmp_path), table)


def test_a_trainer_that_does_not_go_on_is_told(tmp_path):
    def train(dataset, subsets, seeds, config, *, progress=None):
        return fake.train(dataset, subsets, seeds)

    config = StudyConfig(sizes=(12,), training=TrainingConfig(beyond=30), candidates=100)
    with pytest.raises(ValueError, match="lack the columns acc_beyond"):
        run_study([DATA], tmp_path, config, train=train)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vary": "divresity"}, "vary is 'divresity': did you mean 'diversity'"),
        ({"levels": 5}, "levels is 5, and diversity does not vary: give vary='diversity'"),
        ({"vary": "both", "levels": 1}, "levels holds 1: give whole numbers of at least 2"),
        ({"vary": "diversity", "bins": 4}, "bins is 4, and class balance does not vary"),
    ],
)
def test_settings_that_do_not_go_together_are_told(settings, message):
    with pytest.raises(ValueError, match=message):
        StudyConfig(**settings)


def test_sizes_that_leave_nothing_to_choose_are_told_or_left_out(tmp_path):
    config = StudyConfig(sizes=(12, 100), vary="diversity", levels=2, per_bin=1)
    with pytest.raises(ValueError, match="too little to choose from for subsets of 100 images"):
        run_study([DATA], tmp_path / "s", config)
    fewer = dataclasses.replace(config, skip_impossible=True)
    assert set(run_study([DATA], tmp_path / "s", fewer)["n"]) == {12}


def test_the_usual_design_is_written_as_ever():
    assert {"vary", "levels"} & set(StudyConfig().to_dict()) == set()
    assert "beyond" not in StudyConfig().to_dict()["training"]
    assert StudyConfig.from_dict(BOTH.to_dict()) == BOTH
