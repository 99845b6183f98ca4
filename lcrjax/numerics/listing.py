"""Lists within sentences."""

from collections.abc import Collection
from typing import Any

import numpy as np


def listed(words: Collection[Any] | np.ndarray, most: int = 12) -> str:
    """Name some in one line, not too many."""
    return ", ".join(map(str, list(words)[:most])) + (", ..." if len(words) > most else "")
