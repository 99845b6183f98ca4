"""How commands read data: options, and notes on standard error."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_train_command import FakeTraining
from tests.study import fake_parts as fake


@pytest.fixture
def photos(tmp_path):
    """Class folders of 40 pictures, one damaged, one in colour, one no picture."""
    rng = np.random.default_rng(0)
    for i in range(40):
        folder = tmp_path / "photos" / ("cat", "dog")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6, 6), np.uint8)).save(folder / f"{i:02}.png")
    (tmp_path / "photos/dog/notes.heic").write_bytes(bytes(200))
    return tmp_path / "photos"


def test_measure_takes_all_and_says_what_it_left_out(run, photos):
    said = (
        "photos: Left out: 1 file in class folders that no format of pictures fits: 1 .heic "
        "(the first: dog/notes.heic)."
    )
    result = run("measure", "photos", "--q", "0")
    assert result.exit_code == 0, result.output
    assert " 40 " in result.stdout
    assert said in result.stderr.splitlines()
    quiet = run("measure", "photos", "--q", "0", "--quiet", "--json")
    assert quiet.stderr == ""
    assert json.loads(quiet.stdout)["notes"] == [said]


def test_a_page_says_it_too(run, photos, tmp_path):
    result = run("report", "photos")
    assert result.exit_code == 0, result.output
    assert "(the first: dog/notes.heic)" in result.stderr
    assert "(the first: dog/notes.heic)" in (tmp_path / "report.html").read_text()


def test_options_of_reading(run, photos, tmp_path):
    Image.new("RGB", (6, 6)).save(photos / "cat/98.png")
    (photos / "cat/99.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (photos / "cat/link.png").symlink_to(tmp_path / "outside.png")
    Image.new("L", (6, 6)).save(tmp_path / "outside.png")
    for words, sentence in (
        ((), "--follow-links"),
        (("--follow-links",), "--mode"),
        (("--follow-links", "--mode", "grey"), "--skip-damaged"),
    ):
        result = run("measure", "photos", "--q", "0", *words)
        assert result.exit_code == 2
        assert sentence in result.stderr
    result = run("measure", "photos", "--follow-links", "--mode", "grey", "--skip-damaged")
    assert result.exit_code == 0, result.output
    assert " 42 " in result.stdout
    assert "1 of 44 files of photos cannot be read and were left out: cat/99.png" in result.stderr
    few = run("measure", "photos", "--follow-links", "--max-pixels", "35")
    assert few.exit_code == 2
    assert "6×6 pixels, more than the limit of 35" in few.stderr


def test_measure_says_that_a_test_set_is_not_measured(run, tmp_path):
    fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(30, 20), shape=(5, 5)))
    result = run("measure", "toy.npz", "--q", "0")
    assert "toy: the training set of 50 is measured, the test set of" in result.stderr


def train(run, *words):
    training = FakeTraining()
    seen = []

    def noted(dataset, *given, **more):
        seen.append(dataset)
        return training(dataset, *given, **more)

    result = run("train", *words, train=noted)
    return result, seen[0] if seen else None


def test_train_says_how_it_splits_and_can_be_told(run, photos, tmp_path):
    result, dataset = train(run, "photos", "--out", "a")
    assert len(dataset.test) == 10
    note = "10 of 40 images were held out as test set, 25% of each class at random (seed 0)"
    assert note in result.stderr
    result, other = train(run, "photos", "--out", "b", "--test-fraction", ".5", "--split-seed", "7")
    assert len(other.test) == 20
    assert "50% of each class at random (seed 7)" in result.stderr
    photos.joinpath("dog/notes.heic").unlink()
    photos.rename(tmp_path / "all")
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "all" / name).rename(tmp_path / "train" / name)
        (tmp_path / "test" / name).mkdir()
        Image.new("L", (6, 6)).save(tmp_path / "test" / name / "0.png")
    result, given = train(run, "train", "--test", "test", "--out", "c")
    assert (len(given.train), len(given.test)) == (40, 2)
    assert "train: The test set is test: 2 images." in result.stderr


def test_a_study_splits_as_it_is_told(run, photos, tmp_path):
    small = ("--sizes", "8", "--bins", "3", "--per-bin", "2")
    result = run("study", "photos", *small, "--test-fraction", "0.5", "--out", "s")
    assert result.exit_code == 0, result.output
    assert "photos: 20 of 40 images were held out as test set, 50%" in result.stderr
    again = run("study", "photos", *small, "--split-seed", "1", "--out", "s")
    assert again.exit_code == 2
    assert "content_hash" in again.stderr
    both = run("study", "photos", "digits", *small, "--test", "photos", "--out", "t")
    assert both.exit_code == 2
    assert "--test is given with several DATA" in both.stderr
