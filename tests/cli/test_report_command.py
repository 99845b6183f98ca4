import os

import numpy as np
import pytest

from tests.study import fake_parts as fake


@pytest.fixture
def data(tmp_path):
    d = fake.dataset(counts=(12, 9), shape=(5, 5))
    fake.write_npz(tmp_path / "toy.npz", d)
    return d


def test_a_dataset_gets_a_page(run, data, tmp_path):
    result = run("report", "toy.npz")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>toy</h1>" in page
    assert "Written: report.html" in result.stderr
    assert "looking for each training image" in result.stderr
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_study_ends_with_its_page_and_can_be_reported_again(run, data, tmp_path):
    small = ("--sizes", "8,16", "--bins", "5", "--per-bin", "2")
    result = run("study", "toy.npz", *small, "--out", "st", "--quiet")
    assert result.exit_code == 0, result.output
    assert "Page: st/report.html" in result.stdout
    page = tmp_path / "st" / "report.html"
    assert "<h1>toy</h1>" in page.read_text()
    page.unlink()
    again = run("report", "st", "--quiet")
    assert again.exit_code == 0, again.output
    assert "What explains performance" in page.read_text()
    other = run("report", "st", "--out", "other.html")
    assert other.exit_code == 0
    assert "analysing the study" in other.stderr
    assert (tmp_path / "other.html").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tyo.npz"], "did you mean toy.npz"),
        (["nothing"], "there is no dataset, file or folder 'nothing'"),
        (["empty"], "empty"),
        (["toy.npz", "--out", "no/x.html"], "does not exist"),
        (["toy.npz", "--out", "empty"], "is a folder"),
        (["broken"], "is not that of an lcrjax study"),
        (["unfinished"], "has no finished rows yet"),
        (["unfinished", "--resize", "8"], "leave --resize out"),
        (["unfinished", "--exact"], "leave --rows and --exact out"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, data, tmp_path, words, sentence):
    (tmp_path / "empty").mkdir()
    for name, text in (("broken", "{}"), ("unfinished", '{"decides": {"blocks": {}}}')):
        (tmp_path / name / "rows").mkdir(parents=True)
        (tmp_path / name / "config.json").write_text(text)
    result = run("report", *words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(
    os.name != "posix" or (os.geteuid() == 0 and not os.path.isdir("/proc/self")),
    reason="needs a folder that nobody can write to",
)
def test_an_unwritable_folder_is_refused_before_the_work(run, data):
    result = run("report", "toy.npz", "--out", "/proc/self/report.html")
    assert result.exit_code == 2
    assert "cannot write to /proc/self" in result.stderr


def test_rows_are_asked_for_or_all_pairs(run, data, tmp_path):
    result = run("report", "toy.npz", "--rows", "9", "--quiet")
    assert result.exit_code == 0, result.output
    assert "Diversity is an estimate from" in (tmp_path / "report.html").read_text()
    assert run("report", "toy.npz", "--exact", "--quiet").exit_code == 0
    assert "an estimate" not in (tmp_path / "report.html").read_text()
    result = run("report", "toy.npz", "--rows", "9", "--exact")
    assert result.exit_code == 2
    assert "--rows and --exact are given: give one of them" in result.stderr


def test_help_shows_an_example(run):
    result = run("report", "--help")
    assert result.exit_code == 0
    assert "lcrjax report digits" in result.stdout


def test_vectors_have_a_page(run, tmp_path):
    x = np.random.default_rng(0).normal(size=(24, 5)).astype("f4")
    np.savez(tmp_path / "v.npz", images=x, labels=np.repeat([0, 1], 12))
    np.save(tmp_path / "Z.npy", np.eye(9))
    assert run("report", "v.npz", "--similarity", "gaussian:median").exit_code == 0
    assert "Gaussian of the distance of vectors" in (tmp_path / "report.html").read_text()
    for word, sentence in (
        ("edit", "compares texts, no vectors"),
        ("file:Z.npy", "has shape (9, 9), but there are 24"),
        ("gausian:1", "did you mean 'gaussian'"),
    ):
        result = run("report", "v.npz", "--similarity", word)
        assert result.exit_code == 2
        assert sentence in result.stderr
