import pytest
from typer.testing import CliRunner

from tests.study.fake_parts import PARTS


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command line in an empty folder; studies measure, train and draw with stand-ins."""
    from lcrjax.cli import app, parts

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*words, **given):
        if words[0] == "study":
            given = {**PARTS, "draw": lambda table, folder: [], **given}
        before = parts.PARTS.set(given)
        try:
            return CliRunner().invoke(app, [str(word) for word in words])
        finally:
            parts.PARTS.reset(before)

    return invoke
