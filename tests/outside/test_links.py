"""Links of README, CONTRIBUTING and documentation lead to files and headings that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/howto/*.md")]
CODE = re.compile(r"^```(?!\{).*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(<?([^()\s>]+)>?\)|^```\{include\} (\S+)", re.MULTILINE)
#: What the build of the site makes.
MADE = {"gallery/index.rst", "_build/command_line.md", "_build/columns.md"}


def anchors(text):
    """Headings as GitHub and MyST address them."""
    shown = re.sub(CODE, lambda m: "" if m[0].startswith("```") else m[0].strip("`"), text)
    titles = re.findall(r"^#+ +(.+?) *$", shown, re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


def broken(page):
    text = page.read_text(encoding="utf-8")
    for link, included in LINK.findall(re.sub(CODE, "", text)):
        path, _, anchor = (link or included).partition("#")
        if re.match(r"[a-z]+:", path) or path in MADE:
            continue
        target = page.parent / path if path else page
        if not target.exists():
            yield f"{page.name} leads to {path}, which is not there"
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{page.name} leads to #{anchor}, a heading that {target.name} lacks"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page):
    assert list(broken(page)) == []


def test_what_leads_nowhere_is_caught(tmp_path):
    page = tmp_path / "a.md"
    page.write_text(
        "# One `x`, *two*\n[a](b.md) ![c](a.md) [d](#one-x-two) [e](#three) [f](https://g.h#i)\n"
        "`[j](k.md)`\n```python\n# Three\nl[m](n)\n```\n```{include} o.md\n```\n"
    )
    assert [line.split(",")[0] for line in broken(page)] == [
        "a.md leads to b.md",
        "a.md leads to #three",
        "a.md leads to o.md",
    ]
