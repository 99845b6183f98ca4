import json
import math
import os
import signal

import pandas as pd
import pytest

from lcrjax.cli.epochs import epoch_line
from lcrjax.study.run.folder import own_folder, read_description
from lcrjax.training import FullProgress, FullResult
from lcrjax.training.full_result import CURVE
from tests.study import fake_parts as fake


def row(epoch, loss=0.5):
    values = dict.fromkeys(CURVE, 0.9) | {"epoch": epoch, "loss": loss, "seconds": 1.0}
    return values | {name: math.nan for name in CURVE if name.startswith("validation")}


class FakeTraining:
    """Two epochs in no time; it notes what it was given."""

    def __init__(self):
        self.calls, self.loss, self.at_step = [], 0.5, lambda: None

    def __call__(self, dataset, config, *, checkpoints, progress):
        self.calls.append(config)
        curve = []
        for epoch in (1, 2):
            self.at_step()
            progress(FullProgress(epoch, 2, 50, 99, 10.0, tuple(curve), False, 0))
            curve.append(row(epoch, self.loss))
            progress(FullProgress(min(epoch + 1, 2), 2, 0, 99, 10.0, tuple(curve), True, 0))
        scores = {"acc": 0.91, "bacc": 0.92, "auc": 0.93, "auc_micro": 0.94}
        failure = "the loss became NaN or infinite in epoch 2" if math.isnan(self.loss) else None
        frame = pd.DataFrame(curve, columns=list(CURVE))
        return FullResult(scores, 2, 2, 0.99, True, failure, 2.0, frame)


@pytest.fixture
def fake_training():
    return FakeTraining()


@pytest.fixture
def train(run, fake_training):
    """Run `lcrjax train` with the stand-in."""
    return lambda *words: run("train", *words, train=fake_training)


@pytest.fixture
def data(tmp_path):
    return fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(60, 50, 1)))


def test_training_ends_with_a_row_of_table_ii_and_its_files(train, data, tmp_path, fake_training):
    result = train(data, "--out", "t", "--epochs", "2", "--batch-size", "64")
    assert result.exit_code == 0, result.output
    for word in ("AUC", "ACC", "BACC", "0.9300", "0.9100", "0.9200", "curve.csv", "result.json"):
        assert word in result.stdout
    assert "epoch 1 of at most 2: loss 0.5000" in result.stderr
    assert "\x1b" not in result.output
    (config,) = fake_training.calls
    assert (config.training.max_epochs, config.training.batch_size) == (2, 64)
    summary = json.loads((tmp_path / "t" / "result.json").read_text())
    assert summary["bacc"] == 0.92
    curve = pd.read_csv(tmp_path / "t" / "curve.csv")
    assert curve["epoch"].tolist() == [1, 2]
    assert (tmp_path / "t" / "curve.png").stat().st_size > 1000
    assert train(data, "--out", "t", "--epochs", "2", "--batch-size", "64").exit_code == 0


def test_quiet_shows_no_progress(train, data, fake_training):
    result = train(data, "--quiet", "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert (found["bacc"], found["failure"]) == (0.92, None)


def test_an_interrupt_leaves_in_peace_with_the_curve_so_far(train, data, tmp_path, fake_training):
    steps = []

    def interrupt():
        steps.append(1)
        if len(steps) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    fake_training.at_step = interrupt
    result = train(data, "--out", "t")
    assert result.exit_code == 130
    assert "run the same command to resume" in result.stderr
    assert "Traceback" not in result.output
    assert pd.read_csv(tmp_path / "t" / "curve.csv")["epoch"].tolist() == [1]
    assert not (tmp_path / "t" / "result.json").exists()


def test_a_loss_that_is_no_number_has_its_exit_code(train, data, tmp_path, fake_training):
    fake_training.loss = math.nan
    result = train(data, "--out", "t")
    assert result.exit_code == 3
    assert "smaller --learning-rate" in result.stderr
    assert "NaN or infinite" in json.loads((tmp_path / "t" / "result.json").read_text())["failure"]


def test_a_full_disk_has_its_own_exit_code(train, data, fake_training):
    def full():
        raise OSError(28, "No space left on device")

    fake_training.at_step = full
    result = train(data)
    assert result.exit_code == 4
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.output


def test_another_training_in_the_folder_is_refused(train, data, tmp_path, fake_training):
    assert train(data, "--out", "t").exit_code == 0
    result = train(data, "--out", "t", "--seed", "5")
    assert result.exit_code == 2
    assert "reference.seed: 0 -> 5" in result.stderr
    with own_folder(tmp_path / "t", read_description(tmp_path / "t"), "training"):
        result = train(data, "--out", "t")
    assert result.exit_code == 2
    assert "another process is at work" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing.npz"], "nothing.npz"),
        (["toy.npz", "--epochs", "0"], "max_epochs must be at least 1"),
        (["toy.npz", "--target", "1.5"], "target_accuracy must lie in"),
        (["toy.npz", "--schedule", "linear"], "schedule must be one of"),
        (["toy.npz", "--validation", "-1"], "validation must lie in"),
        (["toy.npz", "--validation", "0.1"], "one element only"),
        (["toy.npz", "--out", "full"], "holds something other than a training"),
        (["toy.npz", "--out", "toy.npz"], "is a file"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    train, data, tmp_path, fake_training, words, sentence
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    result = train(*words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not fake_training.calls
    assert not (tmp_path / "lcrjax-train").exists()


def test_a_fault_of_ours_is_not_blamed_on_the_input(train, data, fake_training):
    steps = []

    def fault():
        steps.append(1)
        if len(steps) == 2:
            raise ValueError("shapes do not match")

    fake_training.at_step = fault
    assert isinstance(train(data).exception, ValueError)


def test_an_epoch_in_one_line():
    assert epoch_line(row(3) | {"seconds": 60.0}, 10) == (
        "epoch 3 of at most 10: loss 0.5000, training accuracy 0.9000, "
        "test AUC 0.9000 ACC 0.9000 BACC 0.9000, 60 s, at most 7 min left"
    )
    assert epoch_line(row(2, math.nan), 10) == "epoch 2: the loss became NaN or infinite"
    assert "validation BACC 0.7000" in epoch_line(row(1) | {"validation_bacc": 0.7}, 1)
