import io

import pytest
from rich.console import Console

from lcrjax.cli.display import Bars, Lines, choose_display, duration
from lcrjax.study.run.progress import StudyProgress
from lcrjax.training import Progress


class Clock:
    """A clock that every step of the story moves on by a minute."""

    now = 0.0

    def __call__(self):
        return self.now


def story(clock):
    """What a study of two sizes, the second twice the work of the first, tells."""
    yield StudyProgress("designing", "digits")
    for n, rows, share in ((64, 0, 0.0), (128, 4, 1 / 3)):
        training = Progress(1, 4, 3, 17, 9000, 10.0)
        for stage, t, done, part in (
            ("features", None, 0, 0.0),
            ("training", training, 0, n / 64 / 12),
            ("written", None, 4, n / 64 / 3),
        ):
            yield StudyProgress(stage, "digits", n, 0, 1, rows + done, 8, t, share + part)
            clock.now += 60.0
    yield StudyProgress("reporting", rows=8, total=8, share=1.0)


def shown(display_type, **options):
    console, clock = Console(file=io.StringIO(), width=200, **options), Clock()
    with display_type(console, clock) as display:
        for progress in story(clock):
            display(progress)
    return console.file.getvalue()


def test_lines_are_few_and_plain():
    lines = shown(Lines).splitlines()
    assert lines[0] == "designing subsets of digits"
    assert lines[1] == "digits, 64 images: measuring block 1 of 1, 0 of 8 subsets done"
    assert lines[2].startswith("digits, 64 images: done with block 1 of 1, 4 of 8 subsets done")
    assert lines[-1] == "drawing figures and writing the page"
    assert len(lines) == 6


def test_lines_tell_the_time_left_from_the_share_done():
    # A quarter of the work took the minute between the first two reports that any was done.
    assert shown(Lines).splitlines()[2].endswith(", 3 min left")


def test_lines_say_what_was_finished_before():
    console = Console(file=io.StringIO(), width=200)
    display = Lines(console)
    display(StudyProgress("designing", "digits"))
    display(StudyProgress("found", "digits", 64, 0, 2, 4, 8, None, 0.5))
    display(StudyProgress("features", "digits", 64, 1, 2, 4, 8, None, 0.5))
    assert console.file.getvalue().splitlines()[1] == "resumed: 4 of 8 subsets were finished before"


def test_what_was_finished_before_does_not_hurry_the_estimate():
    console, clock = Console(file=io.StringIO(), width=200), Clock()
    display = Lines(console, clock)
    for stage, share in (("found", 0.5), ("features", 0.5), ("training", 0.6), ("written", 0.7)):
        display(StudyProgress(stage, "digits", 64, 1, 2, 4, 8, None, share))
        clock.now += 60.0
    assert console.file.getvalue().splitlines()[-1].endswith(", 3 min left")


def test_the_bar_tells_models_epoch_rate_and_time_left():
    text = shown(Bars, force_terminal=True)
    for part in ("training 3 models", "1 of 4", "epoch 17", "900 images/s", "0:03:00", "8/8"):
        assert part in text
    assert "drawing figures" in text


def test_the_display_suits_the_console():
    plain = Console(file=io.StringIO())
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(choose_display(plain, quiet=False), Lines)
    assert isinstance(choose_display(terminal, quiet=False), Bars)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_quiet_display_shows_nothing(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal)
    with choose_display(console, quiet=True) as display:
        for progress in story(Clock()):
            display(progress)
    assert not console.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (61.2, "61 s"), (100, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations_are_in_the_unit_one_plans_in(seconds, text):
    assert duration(seconds) == text
