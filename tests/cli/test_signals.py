"""Ctrl-C and SIGTERM at the moment when a command reads: exit code 130 and a sentence."""

import signal

import pytest

NO_TABLE, SAFE = "interrupted; no table was written.", "interrupted. What was finished is safe in "
READING = "lcrjax.data.load"
CASES = [
    (["measure", "x"], READING, NO_TABLE),
    (
        ["measure", "x", "--checkpoint", "sums"],
        READING,
        f"{NO_TABLE} Run the same command to resume from sums.",
    ),
    (["duplicates", "x"], READING, NO_TABLE),
    (["select", "x", "--size", "5"], READING, "interrupted; nothing was written."),
    (["compare", "x", "y"], READING, "interrupted; nothing was written."),
    (["report", "x"], READING, "interrupted; no page was written."),
    (["study", "x"], READING, f"{SAFE}lcrjax-study; run the same command to resume."),
    (["train", "x"], READING, f"{SAFE}lcrjax-train; run the same command to resume."),
    (
        ["embed", "x", "--out", "v.npz"],
        READING,
        "interrupted; v.npz was not written. Run the same command to go on from the last part of "
        "some thousand images that was finished.",
    ),
    (["measure-study", "s", "--similarity", "cosine"], "lcrjax.study.add_measures", f"{SAFE}s; "),
    (["search", "s"], "lcrjax.study.run.store.read_results", "interrupted."),
    (["fit-predictor", "s"], "lcrjax.study.run.folder.read_description", "interrupted."),
    (["doctor"], "lcrjax.cli.doctor_command.examined", "interrupted."),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("words", "struck", "sentence"), CASES)
def test_every_command_ends_in_a_sentence(words, struck, sentence, number, run, monkeypatch):
    before = signal.getsignal(number)

    def strike(*_, **__):
        signal.raise_signal(number)
        raise AssertionError("the signal was not heard")

    monkeypatch.setattr(struck, strike)
    result = run(*words)
    assert result.exit_code == 130, result.output
    assert f"lcrjax: {sentence}" in result.stderr
    assert signal.getsignal(number) == before


def test_no_command_is_forgotten():
    from lcrjax.cli import app

    assert {words[0] for words, *_ in CASES} == {
        x.callback.__name__.replace("_", "-") for x in app.registered_commands
    }
