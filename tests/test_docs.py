"""Python blocks of the documentation, run; they print what the page says they print."""

import contextlib
import doctest
import io
import itertools
import re
from pathlib import Path

import matplotlib as mpl
import pytest

import lcrjax
import lcrjax.pairwise
import lcrjax.selection
from tests.study.analysis.tables import correlated

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(page):
    """Python blocks with their first lines' numbers, and the `text` block that follows each."""
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    for block, following in itertools.zip_longest(blocks, blocks[1:]):
        if block[1] == "python":
            shown = following is not None and following[1] == "text"
            near = shown and not text[block.end() : following.start()].strip()
            line = text.count("\n", 0, block.start(2)) + 1
            yield line, block[2], following[2] if near else None


def run(page, here):
    """Run a page's blocks in order, in one namespace; return what differs from the page."""
    wrong = []
    for line, code, expected in examples(page):
        out = io.StringIO()
        # Blank lines put the block where it stands on the page, for tracebacks.
        program = compile("\n" * (line - 1) + code, str(page), "exec")
        with contextlib.redirect_stdout(out):
            exec(program, here)
        if expected is not None and not doctest.OutputChecker().check_output(
            expected, out.getvalue(), FLAGS
        ):
            wrong.append(f"{page.name}:{line}: the page says\n{expected}\nnot\n{out.getvalue()}")
    return wrong


@pytest.mark.parametrize("page", [p for p in PAGES if any(examples(p))], ids=lambda p: p.stem)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    (tmp_path / "lcrjax-study").mkdir()  # what `lcrjax study` leaves behind
    correlated().to_parquet(tmp_path / "lcrjax-study" / "results.parquet")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")  # as in a clone
    assert run(page, {"__name__": "__main__"}) == []


def test_a_page_that_is_wrong_is_caught(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n")
    assert "page.md:6: the page says\n3\n" in run(page, {})[0]
    page.write_text("```python\nx = 2\nprint(x)\n```\n```text\n2\n```\nand\n```text\n3\n```\n")
    assert run(page, {}) == []
    page.write_text("```python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError):
        run(page, {})


def test_the_api_page_has_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", page, re.M)
    assert set(listed) == {
        *lcrjax.__all__,
        *lcrjax.pairwise.__all__,
        *lcrjax.selection.__all__,
    }
