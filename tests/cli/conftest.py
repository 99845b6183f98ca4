import importlib.util
from pathlib import Path

import pytest
from typer.testing import CliRunner


@pytest.fixture(scope="session")
def fake():
    """The stand-ins for measuring and training that the study's tests use."""
    path = Path(__file__).parents[1] / "study" / "fake_parts.py"
    spec = importlib.util.spec_from_file_location("fake_parts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_with_figures(monkeypatch, tmp_path, fake):
    """Run a command line in an empty folder, with instant measuring and training."""
    from lcrjax.cli import app
    from lcrjax.study.run import failures, plan, runner

    monkeypatch.setattr(runner, "features", fake.features)
    monkeypatch.setattr(failures, "train_subsets", fake.train_subsets)
    monkeypatch.setattr(plan, "block_size", fake.block_size)
    monkeypatch.setattr("lcrjax.cli.cache.keep_compiled_programs", lambda: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return invoke


@pytest.fixture
def run(run_with_figures, monkeypatch):
    """As `run_with_figures`, but without drawing, which takes seconds."""
    monkeypatch.setattr("lcrjax.report.write_figures", lambda table, folder: [])
    return run_with_figures
