"""What holds for all commands: `--json` prints one object, `--quiet` nothing but the result."""

import json
import shutil

import pytest
import typer

from lcrjax.cli import app
from lcrjax.data import load
from lcrjax.study import StudyConfig
from lcrjax.study.run.reference import train_reference
from lcrjax.training import FullConfig, TrainingConfig
from tests.cli.test_train_command import FakeTraining
from tests.study import fake_parts as fake

SMALL = ("--sizes", "8,16", "--bins", "6", "--per-bin", "3")
#: A call of each command, and a key of its object.
CALLS = {
    "measure": (("a.npz", "--out", "m.csv"), "rows"),
    "select": (("a.npz", "--size", "4", "--out", "chosen.npz", "--overwrite"), "indices"),
    "compare": (("a.npz", "b.npz", "--draws", "0", "--out", "c.csv"), "verdict"),
    "study": (("a.npz", *SMALL, "--out", "t"), "models"),
    "measure-study": (("s", "--similarity", "rmsd:10"), "columns"),
    "search": (("s", "--out", "found.csv"), "rows"),
    "fit-predictor": (("s",), "left_out"),
    "report": (("a.npz", "--out", "page.html"), "files"),
    "duplicates": (("a.npz", "--out", "pairs.csv"), "pairs"),
    "train": (("a.npz", "--out", "r"), "bacc"),
    "embed": (("toy.npz", "--model", "m", "--out", "v.npy"), "files"),
    "doctor": ((), "versions"),
}
WRITTEN = {
    "report": ["page.html"],
    "embed": ["v.npy", "v.csv"],
    "fit-predictor": ["s/predictor.json"],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Datasets in files, a study of them and a model of one."""
    folder = tmp_path_factory.mktemp("finished")
    datasets = [fake.dataset(name, i, counts=(60, 50, 55)) for i, name in enumerate("abc")]
    for dataset in datasets:
        fake.write_npz(folder / f"{dataset.name}.npz", dataset)
    fake.run_study(datasets, folder / "s", StudyConfig(sizes=(8, 16), bins=6, per_bin=3))
    toy = fake.write_npz(folder / "toy.npz", fake.dataset(counts=(14, 12), shape=(6, 5)))
    recipe = TrainingConfig(base_channels=16, max_epochs=1, batch_size=8)
    train_reference(load(toy), folder / "m", FullConfig(recipe))
    return folder


@pytest.fixture
def call(run, finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)

    def invoke(command, *words):
        given = {"train": FakeTraining()} if command == "train" else {}
        result = run(command, *CALLS[command][0], *words, **given)
        assert result.exit_code == 0, result.output
        return result

    return invoke


def test_every_command_is_called_here():
    group = typer.main.get_command(app)
    assert set(CALLS) == set(group.commands)
    for command in group.commands.values():
        assert {"--json", "--quiet"} <= {word for p in command.params for word in p.opts}


@pytest.mark.parametrize("command", CALLS)
def test_output_is_what_was_asked_for(command, call, tmp_path):
    """With --json one object and nothing else on standard output; with --quiet no notes."""
    found = call(command, "--json", "--quiet")
    one = json.loads(found.stdout)
    assert isinstance(one, dict)
    assert CALLS[command][1] in one
    assert found.stderr == ""
    if command in WRITTEN:
        assert list(one["files"].values()) == WRITTEN[command]
        assert all((tmp_path / name).exists() for name in WRITTEN[command])
