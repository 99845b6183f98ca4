import pytest

from lcrjax.report import conduct_study
from lcrjax.study import StudyConfig, read_results, same_results
from tests.study import fake_parts as fake

# Few rows: no bootstrap.
CONFIG = StudyConfig(sizes=(16, 32), bins=6, per_bin=2, candidates=500)


class StoppedError(Exception):
    """Raised by callbacks to end a study."""


def test_one_call_does_the_whole_study(tmp_path):
    source = fake.write_npz(tmp_path / "toy.npz", fake.dataset())
    told = []
    report = conduct_study(
        [source, fake.dataset("other", seed=1)],
        tmp_path / "s",
        CONFIG,
        progress=told.append,
        **fake.PARTS,
    )
    assert set(report.table["dataset"]) == {"toy", "other"}
    assert same_results(report.table, read_results(tmp_path / "s"))
    assert any(file.suffix == ".png" for file in report.figures)
    assert all(file.stat().st_size > 1000 for file in report.figures)
    page = report.page.read_text()
    assert "What explains performance" in page
    assert page.count("data:image/png") == sum(f.suffix == ".png" for f in report.figures)
    stages = list(dict.fromkeys(t.stage for t in told))
    assert stages == ["loading", "designing", "features", "training", "written", "reporting"]


def test_the_same_call_goes_on(tmp_path):
    def stop(progress):
        if progress.stage == "written":
            raise StoppedError

    def draw(table, folder):
        return []

    given = {**fake.PARTS, "draw": draw}
    with pytest.raises(StoppedError):
        conduct_study([fake.dataset()], tmp_path / "s", CONFIG, progress=stop, **given)
    assert not (tmp_path / "s" / "report.html").exists()
    report = conduct_study([fake.dataset()], tmp_path / "s", CONFIG, **given)
    whole = conduct_study([fake.dataset()], tmp_path / "whole", CONFIG, **given)
    assert same_results(report.table, whole.table)
    assert report.page.exists()


def test_a_preset_has_datasets_of_its_own(tmp_path):
    told = []

    def stop(progress):
        told.append((progress.stage, progress.dataset))
        if progress.stage == "designing":
            raise StoppedError

    with pytest.raises(StoppedError):
        conduct_study(out=tmp_path / "s", resize=4, progress=stop)
    assert told == [("loading", "digits"), ("designing", "digits")]


def test_bad_input_starts_nothing(tmp_path):
    for sources, config, sentence in (
        ([], "quik", "did you mean 'quick'"),
        ([], CONFIG, "no dataset was given"),
        (["nothing.npz"], CONFIG, "nothing.npz"),
    ):
        with pytest.raises(ValueError, match=sentence):
            conduct_study(sources, tmp_path / "s", config)
    assert not (tmp_path / "s").exists()
