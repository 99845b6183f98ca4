import platform

from lcrjax.numerics.processors import x86_instructions


def test_other_processors_have_none(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert x86_instructions() == set()
