import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fake():
    """The stand-ins of `fake_parts.py`, as a module."""
    path = Path(__file__).parent / "fake_parts.py"
    spec = importlib.util.spec_from_file_location("fake_parts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def instant_parts(monkeypatch, fake):
    """Let the runner measure and train with the stand-ins."""
    from lcrjax.study import failures, plan, runner

    monkeypatch.setattr(runner, "features", fake.features)
    monkeypatch.setattr(failures, "train_subsets", fake.train_subsets)
    monkeypatch.setattr(plan, "block_size", fake.block_size)
