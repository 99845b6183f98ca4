import os
import signal

import numpy as np
import pandas as pd
import pytest

from lcrjax.study.run import failures
from lcrjax.study.run.folder import read_description
from lcrjax.study.run.store import RESULTS, ROWS, open_store
from lcrjax.study.table import same_results

SMALL = ("--sizes", "16,32", "--bins", "6", "--per-bin", "3")


@pytest.fixture
def data(tmp_path, fake):
    """An .npz file of a small dataset."""
    d = fake.dataset(counts=(60, 50, 55))
    np.savez(
        tmp_path / "toy.npz",
        train_images=d.train_images,
        train_labels=d.train_labels,
        test_images=d.test_images,
        test_labels=d.test_labels,
    )
    return tmp_path / "toy.npz"


def test_a_study_ends_with_rankings_and_says_where_everything_is(run_with_figures, data, tmp_path):
    result = run_with_figures("study", data, *SMALL, "--out", "s")
    assert result.exit_code == 0, result.output
    for word in ("A₀", "size", "CB₁", "adjusted R²", "results.parquet", "config.json", ".png"):
        assert word in result.stdout
    assert (tmp_path / "s" / RESULTS).exists()
    assert list((tmp_path / "s" / "figures").glob("*.png"))
    assert "16 images" in result.stderr  # plain progress lines where there is no terminal
    assert "subsets done" in result.stderr
    assert "\x1b" not in result.output


def test_quiet_shows_no_progress(run, data):
    result = run("study", data, *SMALL, "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_the_same_command_goes_on(run, data, monkeypatch, fake, tmp_path):
    calls = []

    def train(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return fake.train_subsets(*arguments, **options)

    monkeypatch.setattr(failures, "train_subsets", train)
    before = signal.getsignal(signal.SIGTERM)
    cut = run("study", data, *SMALL, "--out", "s")
    assert cut.exit_code == 130
    assert "the same command goes on" in cut.stderr
    assert "Traceback" not in cut.output
    assert signal.getsignal(signal.SIGTERM) == before
    finished = len(list((tmp_path / "s" / ROWS).iterdir()))
    assert finished == 3  # the block in work was finished first

    again = run("study", data, *SMALL, "--out", "s")
    assert again.exit_code == 0
    assert "going on" in again.stderr
    whole = run("study", data, *SMALL, "--out", "whole")
    assert whole.exit_code == 0
    tables = [pd.read_parquet(tmp_path / name / RESULTS) for name in ("s", "whole")]
    assert same_results(*tables)
    blocks = len(list((tmp_path / "whole" / ROWS).iterdir()))
    assert len(calls) == 2 * blocks


def test_a_first_interrupt_waits_for_a_step_and_a_second_does_not(
    run, data, monkeypatch, fake, tmp_path
):
    passed = []

    def train(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        passed.append(1)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the second interrupt was not obeyed")

    monkeypatch.setattr(failures, "train_subsets", train)
    result = run("study", data, *SMALL, "--out", "s")
    assert result.exit_code == 130
    assert "once more stops at once" in result.stderr
    assert passed
    assert not list((tmp_path / "s" / ROWS).iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_signal_stays_ignored(run, data, monkeypatch, fake):
    def train(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return fake.train_subsets(*arguments, **options)

    monkeypatch.setattr(failures, "train_subsets", train)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run("study", data, *SMALL).exit_code == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_failed_subsets_are_listed_with_their_reason(run, data, monkeypatch, fake):
    def train(dataset, subsets, seeds, config, *, progress=None):
        table = fake.train_subsets(dataset, subsets, seeds, config)
        if subsets.shape[1] == 32:
            table.loc[0, ["acc", "bacc", "auc", "auc_micro"]] = np.nan
            table["failure"] = table["failure"].astype(object)
            table.loc[0, "failure"] = "the loss became NaN"
        return table

    monkeypatch.setattr(failures, "train_subsets", train)
    result = run("study", data, *SMALL)
    assert result.exit_code == 3
    assert "32 images, subset 0" in result.stdout
    assert "the loss became NaN" in result.stdout
    assert "could not be trained" in result.stderr


def test_a_full_disk_has_its_own_exit_code(run, data, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lcrjax.study.run.store.write_whole", full)
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
        (["toy.npz", "--sizes", "many"], "--sizes takes whole numbers"),
        (["toy.npz", "--per-bin", "0"], "per_bin"),
        (["toy.npz", "--preset", "quik"], "did you mean 'quick'"),
        (["toy.npz", "--config", "none.toml"], "none.toml"),
        (["--preset", "panel"], "name at least one"),
        (["toy.npz", "--max-epochs", "0"], "max_epochs must be at least 1"),
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


def test_a_fault_of_ours_is_not_blamed_on_the_input(run, data, monkeypatch):
    def train(*arguments, **options):
        raise ValueError("shapes do not match")

    monkeypatch.setattr(failures, "train_subsets", train)
    result = run("study", data, *SMALL)
    assert isinstance(result.exception, ValueError)


def test_search_reads_a_study_and_its_table(run, data):
    assert run("study", data, *SMALL, "--out", "s").exit_code == 0
    options = ("--size", "2", "--top", "4", "--target", "acc")
    folder = run("search", "s", *options)
    assert folder.exit_code == 0, folder.output
    assert "The best 4 of" in folder.stdout
    assert run("search", "s/results.parquet", *options).stdout == folder.stdout


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
