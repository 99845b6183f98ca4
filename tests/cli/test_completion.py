"""What a shell completes, and the script that teaches it to."""

import runpy
import sys

import pytest
import typer
from typer.testing import CliRunner

from lcrjax.cli import app
from lcrjax.data.colours import MODES
from lcrjax.selection.quotas import BALANCES
from lcrjax.study.columns import TARGETS
from lcrjax.study.design.config import VARIED
from lcrjax.study.design.presets import PRESETS
from lcrjax.training.config import SCHEDULES


def completed(*words):
    line = " ".join(("lcrjax", *words))
    env = {"_LCRJAX_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    return CliRunner().invoke(app, [], prog_name="lcrjax", env=env).stdout.split()


def test_commands_can_be_completed():
    assert completed("doc") == ["doctor"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("study", "--preset", ""), set(PRESETS)),
        (("study", "--vary", ""), set(VARIED)),
        (("train", "--schedule", "co"), set(SCHEDULES)),
        (("measure", "digits", "--mode", ""), set(MODES)),
        (("select", "--balance", ""), set(BALANCES)),
        (("select", "--objective", "A"), {"A_0", "A_1", "A_2", "A_inf"}),
        (("select", "--objective", "fac"), {"facility-location"}),
        (("search", "--target", ""), set(TARGETS)),
        (("fit-predictor", "--target", "b"), {"bacc"}),
        (("measure", "--similarity", "g"), {"gaussian:", "gower"}),
        (("measure-study", "s", "--similarity", "r"), {"rmsd"}),
    ],
)
def test_values_can_be_completed(words, found):
    assert set(completed(*words)) == found


def test_options_of_words_complete_them_in_all_commands():
    wanted = (
        "similarity",
        "measures",
        "preset",
        "vary",
        "mode",
        "schedule",
        "balance",
        "objective",
    )
    for name, command in typer.main.get_command(app).commands.items():
        for option in {p.name for p in command.params} & set(wanted):
            assert completed(name, f"--{option}", ""), (name, option)


def test_the_script_names_the_command(monkeypatch, capsys):
    """Also where it runs as `python -m lcrjax`."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setattr(sys, "argv", ["python -m lcrjax", "--show-completion", "bash"])
    with pytest.raises(SystemExit):
        runpy.run_module("lcrjax", run_name="__main__", alter_sys=False)
    script = capsys.readouterr().out
    assert "_LCRJAX_COMPLETE=complete_bash" in script
    assert "complete -o default -F _lcrjax_completion lcrjax" in script
