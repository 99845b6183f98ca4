"""Natural order of names, in which people count: 2 before 10, b2 before b10."""

import re


def natural_key(name: str) -> list[tuple[int, str]]:
    """Key by which names sort in natural order."""
    parts = re.split(r"([0-9]+)", name)  # text and digits in turn
    return [(int(part) if i % 2 else 0, part) for i, part in enumerate(parts)]
