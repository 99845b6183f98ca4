import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def correlated():
    """The function that makes a study's table."""
    path = Path(__file__).parents[1] / "study" / "analysis" / "tables.py"
    spec = importlib.util.spec_from_file_location("tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.correlated
