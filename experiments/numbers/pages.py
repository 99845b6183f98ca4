"""Pages, and the numbers that stand in their prose."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_DOCS = ROOT / "docs"
PAGES = {"README.md": ROOT / "README.md"} | {
    path.relative_to(_DOCS).as_posix(): path
    for folder in (_DOCS, _DOCS / "howto")
    for path in sorted(folder.glob("*.md"))
}

#: Python blocks run in tests, and what is included is compared there; sources are citations.
_NO_PROSE = re.compile(r"^```.*?^```$|^## Sources$.*\Z", re.DOTALL | re.MULTILINE)
#: Code, formulas and addresses.
_NO_NUMBERS = re.compile(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|https?://\S+")
_NUMBER = re.compile(r"(?<![\w.-])(?:\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+)(?!\w)")
Span = tuple[int, int]


def prose(page: str) -> str:
    """The text of a page on one line, without its blocks."""
    text = PAGES[page].read_text(encoding="utf-8")
    return " ".join(_NO_PROSE.sub("", text).split())


def numbers(text: str) -> Iterator[Span]:
    """Where the numbers of a text begin and end."""
    masked = _NO_NUMBERS.sub(lambda found: "`" * len(found[0]), text)
    yield from (found.span() for found in _NUMBER.finditer(masked))


def cells_of(page: str, first: str) -> list[str]:
    """What follows in the row of a table that begins with this cell."""
    text = PAGES[page].read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.split("|")[2:-1]]


def pattern(piece: str) -> str:
    """The pattern of a piece of text, in which … stands for other text of a table's cell.

    A heading, `## …`, stands for its section.
    """
    if piece.startswith("## "):
        return rf"({re.escape(piece)} .*?)(?= ## |$)"
    return "[^|]*?".join(f"({re.escape(part)})" for part in " ".join(piece.split()).split("…"))


def inside(text: str, patterns: Iterable[str]) -> set[Span]:
    """Numbers of a text that lie in groups of one of the patterns."""
    spans = [
        found.span(group)
        for pattern in patterns
        for found in re.finditer(pattern, text)
        for group in range(1, found.re.groups + 1)
    ]
    return {
        (start, end)
        for start, end in numbers(text)
        if any(first <= start and end <= last for first, last in spans)
    }
