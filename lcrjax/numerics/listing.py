"""Lists and counts within sentences."""

from collections.abc import Collection
from typing import Any

import numpy as np


def listed(words: Collection[Any] | np.ndarray, most: int = 12) -> str:
    """Name some in one line, not too many."""
    return ", ".join(map(str, list(words)[:most])) + (", ..." if len(words) > most else "")


def counted(count: int, one: str, many: str | None = None) -> str:
    """Say how many of something there are, such as "1 file" or "2,000 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
