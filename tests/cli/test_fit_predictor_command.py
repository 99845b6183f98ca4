import json
import shutil

import pytest

from lcrjax.study import StudyConfig
from tests.study import fake_parts as fake

CONFIG = StudyConfig(sizes=(8, 16), bins=6, per_bin=3, candidates=500)
DATASETS = [fake.dataset(name, i, counts=(60, 50, 55)) for i, name in enumerate("abc")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    fake.run_study(DATASETS, folder, CONFIG)
    return folder


@pytest.fixture
def study(run, finished, tmp_path):
    """A finished study of three datasets, and files of two."""
    for dataset in DATASETS[:2]:
        fake.write_npz(tmp_path / f"{dataset.name}.npz", dataset)
    return shutil.copytree(finished, tmp_path / "s")


def test_a_predictor_is_fitted_kept_and_used(run, study):
    result = run("fit-predictor", "s")
    assert result.exit_code == 0, result.output
    assert "A predictor by size + CB_1 was fitted to " in result.stdout
    assert "models of 3 datasets. With each dataset left out in turn, " in result.stdout
    assert "its Brier score is 0." in result.stdout
    assert json.loads((study / "predictor.json").read_text())["similarity"] == "rmsd"
    found = run("compare", "a.npz", "b.npz", "--study", "s", "--draws", "0", "--json", "--quiet")
    assert found.exit_code == 0, found.output
    verdict = json.loads(found.stdout)["verdict"]
    assert 0.5 <= verdict["probability"] <= 1
    assert "models of a, b, c" in verdict["said"]
    assert "a has size 165 (8 to 16)" in verdict["said"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fit-predictor", "s", "--features", "size,nonsense"), "has no column 'nonsense'"),
        (("fit-predictor", "s", "--features", "n_pixels"), "is not measured of two datasets"),
        (("fit-predictor", "nowhere"), "config.json cannot be read"),
        (("compare", "a.npz", "b.npz", "--study", "s"), "s holds no predictor: fit one"),
    ],
)
def test_bad_input_is_one_sentence(run, study, words, sentence):
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output
    assert not (study / "predictor.json").exists()
