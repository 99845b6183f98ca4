import numpy as np
import pandas as pd
import pytest

from lcrjax.data import Dataset, Split
from lcrjax.report import comparison_page
from lcrjax.report.compared import called, written
from lcrjax.report.page.rendering import significant
from lcrjax.selection import Row, compare
from tests.report.page.conftest import HOSTILE
from tests.report.page.pages import check


class Sure:
    def probability(self, comparison):
        return 0.9


@pytest.fixture(scope="module")
def comparison():
    """Two datasets with hostile names that share copies, under one label and under two."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (n, 3, 3), dtype=np.uint8) for n in (12, 8))
    b[0], b[1] = a[0], a[2]
    first = Dataset(f"one {HOSTILE[0]}", Split(a, np.arange(12) % 3), None, tuple(HOSTILE[:3]))
    second = Dataset("two", Split(b, np.arange(8) % 2), None, tuple(HOSTILE[:2]))
    return compare(first, second, (a[:4], None), predictor=Sure())


@pytest.fixture(scope="module")
def page(comparison):
    return check(comparison_page(comparison))


def test_names_that_are_code_are_shown_and_not_run(page):
    for name in HOSTILE[:3]:
        assert " ".join(name.split()) in page.text
    assert len(page.of("h1")) == 1


def test_the_page_tells_what_was_compared(comparison, page):
    for name, q in (("alpha", 0), ("gamma", np.inf), ("relative_diversity", 1)):
        row = comparison.row(name, q)
        for value in (row.a, row.b):
            assert significant(value) in page.text
    assert "two is predicted to make the better model, with a probability of 90 %" in page.text
    assert "2 pairs of an image" in page.text
    assert page.text.count("identical") == 2
    assert "1 under two labels" in page.text
    assert f"image 2, {HOSTILE[2]}" in [a.get("alt") for a in page.of("img")]
    assert "has no labels: what needs its classes was left out" in page.text


def test_only_differences_beyond_their_intervals_are_bold(comparison, page):
    marked = [a for a in page.of("tr") if a.get("class") == "marked-row"]
    shown = ("alpha", "normalized_rho", "gamma", "normalized_beta", "ordinariness",
             "largest_similarity")  # fmt: skip
    apart = [
        r
        for r in comparison.rows
        if r.level == "dataset" and r.name in shown and r.lower and not r.lower <= 0 <= r.upper
    ]
    assert len(marked) == len(apart) > 0
    assert len(page.of("tr")) > len(marked) + 20


def test_rows_of_a_table():
    rows = pd.DataFrame({"age": [1.0, 2.0, 9.0]}), [0, 0, 1]
    page = check(comparison_page(compare(rows, rows, q=(2,), resampling=None)))
    assert "age: 9" in page.text
    assert page.text.count("identical") == 3
    assert "A, q = 2" in page.text


def test_numbers_are_written_as_readers_write_them():
    def row(name, q=None):
        return Row("measure", "dataset", name, q, 1000.0, 0.5, -999.5)

    given = (("alpha", 0.0), ("class_balance", np.inf), ("gamma", 2.5))
    assert [called(row(*x)) for x in given] == ["A_0", "CB_inf", "G, q = 2.5"]
    assert called(row("relative_diversity", np.inf)) == "relative diversity, q = ∞"
    assert written(row("size"))[0] == "1,000"
    assert written(row("gamma"))[1:] == ("0.5000", "−1,000")
