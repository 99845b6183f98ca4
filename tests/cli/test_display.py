import io

import pytest
from rich.console import Console

from lcrjax.cli.display import Bars, Lines, Silent, choose_display, duration
from lcrjax.study.run.progress import StudyProgress
from lcrjax.training import Progress


def story():
    """What a study of two sizes tells."""
    for n, rows in ((64, 0), (128, 4)):
        training = Progress(1, 4, 3, 17, 9000, 10.0)
        for stage, t, done in (
            ("features", None, 0),
            ("training", training, 0),
            ("written", None, 4),
        ):
            yield StudyProgress(stage, "digits", n, 0, 1, rows + done, 8, t, 240.0)


def shown(display_type, **options):
    console = Console(file=io.StringIO(), width=200, **options)
    with display_type(console) as display:
        for progress in story():
            display(progress)
    return console.file.getvalue()


def test_lines_are_few_and_plain():
    lines = shown(Lines).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("digits, 64 images: measuring block 1 of 1, 0 of 8 subsets done")
    assert lines[1].startswith("digits, 64 images: done with block 1 of 1, 4 of 8 subsets done")
    assert lines[0].endswith("4 min left")


def test_lines_say_what_was_finished_before():
    console = Console(file=io.StringIO(), width=200)
    display = Lines(console)
    display(StudyProgress("found", "digits", 64, 0, 2, 4, 8, None, 60.0))
    display(StudyProgress("features", "digits", 64, 1, 2, 4, 8, None, 60.0))
    assert (
        console.file.getvalue().splitlines()[0] == "going on: 4 of 8 subsets were finished before"
    )


def test_the_bar_tells_models_epoch_rate_and_time_left():
    text = shown(Bars, force_terminal=True)
    for part in ("training 3 models", "1 of 4", "epoch 17", "900 images/s", "4 min left", "8/8"):
        assert part in text


def test_the_display_suits_the_console():
    plain = Console(file=io.StringIO())
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(choose_display(plain, quiet=False), Lines)
    assert isinstance(choose_display(terminal, quiet=False), Bars)
    assert isinstance(choose_display(terminal, quiet=True), Silent)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (61.2, "61 s"), (100, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations_are_in_the_unit_one_plans_in(seconds, text):
    assert duration(seconds) == text
