import platform
from pathlib import Path

from lcrjax.numerics import processors
from lcrjax.numerics.processors import x86_instructions


def test_other_processors_have_none(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert x86_instructions() == set()


def test_a_system_that_does_not_say_it(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(processors, "Path", lambda name: Path(name + "-of-none"))
    assert x86_instructions() is None
