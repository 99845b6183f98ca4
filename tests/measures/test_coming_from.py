"""The page on other packages: its calls give the same numbers, where those are installed."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import lcrjax

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
ROW = re.compile(r"^\| `(.*?)` \| `(.*?)` \|$", re.MULTILINE)


def rows(package):
    (section,) = re.findall(
        rf"^## {package}$(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return ROW.findall(section)


@pytest.fixture
def names(rng):
    """What the page calls counts, p, r, X, alike, Z and d."""
    X = rng.normal(size=(6, 3))
    d = np.abs(X[:, None] - X).sum(axis=2)
    counts = rng.integers(1, 9, (6, 2)).astype(float)
    p, r = counts.T.copy()

    def alike(x, y):
        return np.exp(-np.abs(x - y).sum())

    return {"lcrjax": lcrjax, "np": np, "counts": counts, "p": p, "r": r, "X": X, "d": d} | {
        "alike": alike,
        "Z": np.exp(-d),
    }


@pytest.mark.parametrize(("theirs", "ours"), rows("sentropy"))
def test_sentropy(theirs, ours, names, x64):
    package = pytest.importorskip("sentropy")
    there = names | {"sentropy": package.sentropy, "power_mean": package.powermean.power_mean}
    np.testing.assert_allclose(eval(ours, names), eval(theirs, there), rtol=1e-7)


@pytest.mark.parametrize(("theirs", "ours"), rows("vendi-score"))
def test_vendi_score(theirs, ours, names, x64):
    pytest.importorskip("vendi_score")
    there = names | {"vendi": importlib.import_module("vendi_score.vendi")}
    np.testing.assert_allclose(eval(ours, names), eval(theirs, there), rtol=1e-6)


def test_calls_of_this_package(names):
    """Of every table, whatever is installed."""
    names["D"] = lcrjax.diversity(names["counts"], names["Z"], q=(0, 1))
    called = [*rows("sentropy"), *rows("rdiversity"), *rows("vendi-score")]
    for _, ours in called:
        assert eval(ours, names) is not None
    assert len(called) == 33


def test_rdiversity():
    """Its README's population: values at q = 0 that its tests print, and its names."""
    printed = {"raw_sub_alpha": (8, 4, 4), "norm_sub_alpha": (2, 1, 2), "raw_sub_rho": (4, 3, 2),
               "norm_sub_beta": (1, 4 / 3, 1), "sub_gamma": (8 / 3, 4 / 3, 2)}  # fmt: skip
    D = lcrjax.diversity(np.array([[1, 2, 3], [1, 0, 1]]), q=0)
    ours = {theirs.split("(")[0]: mine for theirs, mine in rows("rdiversity")}
    for name, values in printed.items():
        np.testing.assert_allclose(eval(ours[name], {"D": D})[0], values, rtol=1e-6, err_msg=name)
