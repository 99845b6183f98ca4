import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcrjax.report import write_figures
from lcrjax.study.run.folder import read_description, write_description
from lcrjax.study.run.store import RESULTS, ROWS, open_store
from lcrjax.study.table import same_results
from tests.study import fake_parts as fake

SMALL = ("--sizes", "16,32", "--bins", "6", "--per-bin", "3")


@pytest.fixture
def data(tmp_path):
    """An .npz file of a small dataset."""
    return fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(60, 50, 55)))


def test_a_study_ends_with_rankings_and_says_where_everything_is(run, data, tmp_path):
    result = run("study", data, *SMALL, "--out", "s", draw=write_figures)
    assert result.exit_code == 0, result.output
    words = ("adjusted R²", "A_0", "CB_1", "size", "best triple", "report.html", "ranking.csv")
    places = [result.stdout.index(word) for word in (*words, "results.parquet", "config.json")]
    assert places[0] < min(places[1:5])
    assert max(places[1:5]) < min(places[5:])
    assert len(result.stdout.splitlines()) < 25
    assert (tmp_path / "s" / RESULTS).exists()
    summary = json.loads((tmp_path / "s" / "summary.json").read_text())
    assert summary["datasets"] == ["toy"]
    assert list(pd.read_csv(tmp_path / "s" / "ranking.csv")["rank"][:2]) == [1, 2]
    assert list((tmp_path / "s" / "figures").glob("*.png"))
    assert "16 images" in result.stderr  # plain progress lines where there is no terminal
    assert "subsets done" in result.stderr
    assert "\x1b" not in result.output


def test_diversity_varies_and_models_are_scored_again(run, data, tmp_path):
    varied = ("--vary", "diversity", "--levels", "2", "--per-bin", "1", "--beyond", "30")
    result = run("study", data, "--sizes", "12", *varied, "--out", "s")
    assert result.exit_code == 0, result.output
    settings = read_description(tmp_path / "s")["decides"]
    assert (settings["vary"], settings["levels"], settings["training"]["beyond"]) == (
        *("diversity", 2, 30),
    )
    table = pd.read_parquet(tmp_path / "s" / RESULTS)
    assert table["level"].tolist() == [0, 1, 0, 1]
    assert table["outliers"].tolist() == ["avoided", "avoided", "sought", "sought"]
    assert table["bacc_beyond"].notna().all()


def test_a_cluster_that_is_not_there_is_told_before_anything_starts(run, data, tmp_path):
    result = run("study", "no such data", *SMALL, "--out", "s", "--ray", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "no Ray cluster answers" in result.stderr or "Ray is not installed" in result.stderr
    assert not (tmp_path / "s").exists()


def test_another_kind_of_machine_has_to_be_allowed(run, data, tmp_path):
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
    description = read_description(tmp_path / "s")
    other = {**description["machines"][0], "processors": 0}
    write_description(tmp_path / "s", {**description, "machines": [other]})
    next((tmp_path / "s" / ROWS).iterdir()).unlink()
    refused = run("study", data, *SMALL, "--out", "s")
    assert refused.exit_code == 5
    assert "processors: 0 -> " in refused.stderr
    assert run("study", data, *SMALL, "--out", "s", "--allow-mixed").exit_code == 0


def test_levels_of_nothing_are_told(run, data):
    result = run("study", data, *SMALL, "--levels", "3")
    assert result.exit_code != 0
    assert "levels is 3, and diversity does not vary" in result.stderr


def test_quiet_shows_no_progress(run, data):
    result = run("study", data, *SMALL, "--quiet", "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert {"subsets", "models", "files"} <= set(found)
    assert Path(found["files"]["ranking"]).is_file()


def test_the_same_command_goes_on(run, data, tmp_path):
    calls = []

    def train(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return fake.train(*arguments, **options)

    before = signal.getsignal(signal.SIGTERM)
    cut = run("study", data, *SMALL, "--out", "s", train=train)
    assert cut.exit_code == 130
    assert "run the same command to resume" in cut.stderr
    assert "Traceback" not in cut.output
    assert signal.getsignal(signal.SIGTERM) == before
    finished = len(list((tmp_path / "s" / ROWS).iterdir()))
    assert finished == 3  # the block in work was finished first

    again = run("study", data, *SMALL, "--out", "s", train=train)
    assert again.exit_code == 0
    assert "resumed" in again.stderr
    whole = run("study", data, *SMALL, "--out", "whole", train=train)
    assert whole.exit_code == 0
    tables = [pd.read_parquet(tmp_path / name / RESULTS) for name in ("s", "whole")]
    assert same_results(*tables)
    blocks = len(list((tmp_path / "whole" / ROWS).iterdir()))
    assert len(calls) == 2 * blocks


def test_a_first_interrupt_waits_for_a_step_and_a_second_does_not(run, data, tmp_path):
    passed = []

    def train(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        passed.append(1)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the second interrupt was not obeyed")

    result = run("study", data, *SMALL, "--out", "s", train=train)
    assert result.exit_code == 130
    assert "press Ctrl-C again to stop now" in result.stderr
    assert passed
    assert not list((tmp_path / "s" / ROWS).iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_signal_stays_ignored(run, data):
    def train(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return fake.train(*arguments, **options)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run("study", data, *SMALL, train=train).exit_code == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_failed_subsets_are_listed_with_their_reason(run, data):
    def train(dataset, subsets, seeds, config, *, progress=None):
        table = fake.train(dataset, subsets, seeds, config)
        if subsets.shape[1] == 32:
            table.loc[0, ["acc", "bacc", "auc", "auc_micro"]] = np.nan
            table["failure"] = table["failure"].astype(object)
            table.loc[0, "failure"] = "the loss became NaN"
        return table

    result = run("study", data, *SMALL, train=train)
    assert result.exit_code == 3
    assert "32 images, subset 0" in result.stdout
    assert "the loss became NaN" in result.stdout
    assert "could not be trained" in result.stderr


def test_a_full_disk_has_its_own_exit_code(run, data, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("study", data, *SMALL)
    assert result.exit_code == 4
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.output


def test_a_second_process_is_told_and_leaves(run, data, tmp_path):
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
    with open_store(tmp_path / "s", read_description(tmp_path / "s")):
        result = run("study", data, *SMALL, "--out", "s")
    assert result.exit_code == 2
    assert "another process is at work in s" in result.stderr


def test_another_study_in_the_folder_is_refused_with_the_difference(run, data):
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
    result = run("study", data, *SMALL, "--out", "s", "--seed", "5")
    assert result.exit_code == 2
    assert "seed: 0 -> 5" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing.npz"], "nothing.npz"),
        (["toy.npz", "--sizes", "16,4000"], "has 165 training images"),
        (["toy.npz", "--sizes", "2"], "choose sizes from 3 to 165"),
        (["toy.npz", "--sizes", "many"], "--sizes holds 'many': give whole numbers"),
        (["toy.npz", "--per-bin", "0"], "--per-bin"),
        (["toy.npz", "--similarity", "rms"], "did you mean 'rmsd'"),
        (["toy.npz", "--preset", "quik"], "did you mean 'quick'"),
        (["toy.npz", "--config", "none.toml"], "none.toml"),
        (["--preset", "panel"], "name at least one"),
        (["toy.npz", "--max-epochs", "0"], "--max-epochs must be at least 1"),
        (["toy.npz", "--out", "full"], "holds something other than a study"),
        (["toy.npz", "--out", "toy.npz"], "is a file"),
        (["toy.npz", "./toy.npz"], "two datasets are called 'toy'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, data, tmp_path, words, sentence):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    result = run("study", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "lcrjax-study").exists()
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_a_fault_of_ours_is_not_blamed_on_the_input(run, data):
    def train(*arguments, **options):
        raise ValueError("shapes do not match")

    result = run("study", data, *SMALL, train=train)
    assert isinstance(result.exception, ValueError)


def test_search_reads_a_study_and_its_table(run, data):
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
    options = ("--size", "2", "--top", "4", "--target", "acc")
    folder = run("search", "s", *options)
    assert folder.exit_code == 0, folder.output
    assert "The best 4 of" in folder.stdout
    assert run("search", "s/results.parquet", *options).stdout == folder.stdout
    short = run("search", "s", *options, "--json", "--out", "pairs.csv")
    found = json.loads(short.stdout)
    assert [row["rank"] for row in found["rows"]] == [1, 2, 3, 4]
    assert found["rows"][0]["features"] in folder.stdout
    written = pd.read_csv("pairs.csv")
    assert len(written) == found["combinations"]
    assert list(written["features"][:4]) == [row["features"] for row in found["rows"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing"], "nothing does not exist"),
        (["toy.npz"], "toy.npz is not a table"),
        (["."], "config.json cannot be read"),
    ],
)
def test_search_explains_bad_input(run, data, words, sentence):
    result = run("search", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_the_similarity_is_an_option(run, data, tmp_path):
    result = run("study", data, *SMALL, "--similarity", "rmsd:10", "--out", "s")
    assert result.exit_code == 0
    assert read_description(tmp_path / "s")["decides"]["similarity"] == "rmsd:10"


def test_a_full_disk_at_the_end_costs_the_figures_only(run, data, tmp_path):
    def full(table, folder):
        raise OSError(28, "No space left on device")

    result = run("study", data, *SMALL, "--out", "s", draw=full)
    assert result.exit_code == 4
    assert "run the same command to resume" in result.stderr
    assert (tmp_path / "s" / RESULTS).exists()
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
