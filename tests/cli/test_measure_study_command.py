import pytest

from tests.study import fake_parts as fake

SMALL = ("--sizes", "8,16", "--bins", "6", "--per-bin", "3")
ADD = ("measure-study", "s", "--similarity", "rmsd:10")


@pytest.fixture
def study(run, tmp_path):
    """A finished study of a file that lies in a folder of its own."""
    (tmp_path / "files").mkdir()
    path = fake.write_npz(tmp_path / "files" / "toy.npz", fake.dataset(counts=(60, 50, 55)))
    assert run("study", path, *SMALL, "--out", "s", "--quiet").exit_code == 0
    return tmp_path / "s"


def test_measures_are_added_and_searched(run, study):
    result = run(*ADD, "--similarity", "rmsd:30", "--data", "files")
    assert result.exit_code == 0, result.output
    assert "114 added measures" in result.stdout
    assert (study / "measures.parquet").exists()
    found = run("search", "s", "--features", "size,rmsd:30", "--top", "30")
    assert found.exit_code == 0, found.output
    assert "A_0[rmsd:30]" in found.stdout
    assert "rmsd:10" not in found.stdout
    assert "CB_1" not in found.stdout
    whole = run("search", "s", "--top", "200").stdout
    assert "A_0[rmsd:30]" in whole
    assert "mmd[rmsd:10]" in whole


def test_a_study_measures_more_in_its_end(run, tmp_path):
    path = fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(60, 50, 55)))
    more = ("--measures", "rmsd:10", "--measures", "laplacian:0.5median")
    result = run("study", path, *SMALL, "--out", "s", *more)
    assert result.exit_code == 0, result.output
    assert "measuring subsets of toy with more similarities" in result.stderr
    found = run("search", "s", "--features", "size,laplacian:0.5median", "--top", "30")
    assert found.exit_code == 0, found.output
    assert "A_0[laplacian:0.5median]" in found.stdout
    assert "rmsd:10" not in found.stdout
    refused = run("study", path, *SMALL, "--out", "t", "--measures", "rmsd:0")
    assert refused.exit_code == 2
    assert "a number above 0" in refused.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*ADD,), "'toy' is not in ."),
        ((*ADD, "--data", "elsewhere"), "is not in elsewhere"),
        (("measure-study", "s", "--similarity", "rmsd:x"), "a number above 0"),
        (("measure-study", "nowhere", "--similarity", "rmsd"), "config.json cannot be read"),
        (("search", "s", "--features", "A_0[rmsd:10]"), "lcrjax measure-study adds it"),
    ],
)
def test_bad_input_is_one_sentence(run, study, words, sentence):
    result = run(*words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not (study / "measures.parquet").exists()
