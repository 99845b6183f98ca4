"""MedMNIST's index: its datasets, addresses and MD5 sums, read without running its code."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

from lcrjax.data.errors import DataError

INSTALL = "pip install --no-deps medmnist"
#: What MedMNIST has of single-label images, for where its index is not installed.
_NAMES = (
    *("pathmnist", "dermamnist", "octmnist", "pneumoniamnist", "retinamnist", "breastmnist"),
    *("bloodmnist", "tissuemnist", "organamnist", "organcmnist", "organsmnist"),
)


def index() -> dict[str, dict[str, Any]]:
    """Return what the installed `medmnist` package knows of its datasets, by name.

    Only the literal table `INFO` of its `info.py` is read. The package is not imported: it would
    ask for PyTorch and make a folder in the user's home.

    Raises:
        ImportError: If `medmnist` is not installed.
        DataError: If its `info.py` holds no such table.
    """
    spec = importlib.util.find_spec("medmnist")
    if spec is None or spec.origin is None:
        raise ImportError(
            "MedMNIST's addresses and checksums come from the medmnist package: "
            f"install it without its dependencies: {INSTALL}"
        )
    path = Path(spec.origin).with_name("info.py")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and "INFO" in map(ast.unparse, statement.targets):
                table = ast.literal_eval(statement.value)
                if isinstance(table, dict) and all(isinstance(v, dict) for v in table.values()):
                    return table
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): reinstall it with {INSTALL}.") from error
    raise DataError(f"{path} holds no table INFO: reinstall it with {INSTALL}.")


def known_names() -> tuple[str, ...]:
    """Return the names in the index; where `medmnist` is not installed, those of lcrjax's list."""
    try:
        return tuple(index())
    except ImportError:
        return _NAMES
