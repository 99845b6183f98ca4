"""Numbers of README and documentation, and committed tables, are what the results give."""

import re

import numpy as np
import pandas as pd
import pytest

from experiments import differences, measures_tables, recipe, reference, yardsticks
from experiments.numbers.check import check
from experiments.numbers.pages import PAGES, prose
from experiments.panel_tables import RESULTS, TABLES
from lcrjax.study import fit_predictor, load_predictor, read_results
from lcrjax.study.analysis import judge_differences, predict_differences

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.mark.parametrize("page", PAGES)
def test_page(page):
    assert check(page).wrong == []


def test_a_number_that_has_changed_is_caught():
    text = prose("README.md")
    assert "scored 2.5 % higher" in text
    (lost, unlisted, *_) = check("README.md", text.replace("scored 2.5 %", "scored 5.1 %")).wrong
    assert lost.startswith("README.md does not say (any more): scored 2.5 % higher")
    assert unlisted.startswith("README.md says 5.1, neither recomputed nor listed: ")


def test_a_new_number_is_caught():
    text = prose("index.md") + " It is 12 times faster than `f(13)`, $14$ and [x](15.md)."
    (unlisted,) = check("index.md", text).wrong
    assert unlisted.startswith("index.md says 12, neither recomputed nor listed: ")


PANEL = read_results(RESULTS / "results.parquet")
INCLUDED = re.findall(r"{include} \S*/panel/(.*)[.]md", PAGES["panel.md"].read_text("utf-8"))


def same_numbers(text, expected):
    """The last digit may be another processor's."""
    theirs, mine = (np.array(NUMBER.findall(each), float) for each in (text, expected))
    np.testing.assert_allclose(theirs, mine, rtol=1e-5, atol=1.1e-3)


@pytest.mark.parametrize("name", [name for name in INCLUDED if "claims" not in name])
def test_a_table_on_the_panels_page_is_that_of_its_results(name):
    found = TABLES[name](PANEL).to_csv(index=False)
    for ending in ("csv", "md"):
        same_numbers((RESULTS / f"{name}.{ending}").read_text(encoding="utf-8"), found)


def test_the_claims_on_the_panels_page_are_those_of_its_results():
    """Without their intervals, which take many resamples."""
    assert "claims-bacc" in INCLUDED
    found = TABLES["claims-bacc"](PANEL, resamples=0)["here"]
    same_numbers(" ".join(pd.read_csv(RESULTS / "claims-bacc.csv")["here"]), " ".join(found))
    rows = (RESULTS / "claims-bacc.md").read_text(encoding="utf-8").splitlines()[2:]
    same_numbers(" ".join(row.split("|")[3] for row in rows), " ".join(found))


def test_tables_of_other_experiments_are_those_of_their_rows():
    rows = pd.read_csv(recipe.RESULTS / "rows.csv")
    assert (recipe.RESULTS / "table.md").read_text() == recipe.summary(rows)
    assert (recipe.RESULTS / "pooled.md").read_text() == recipe.pooled(rows)
    names = ("whole", "parts")
    whole, parts = (pd.read_csv(yardsticks.RESULTS / f"{name}.csv") for name in names)
    written = pd.read_csv(yardsticks.RESULTS / "half-median.csv")
    found = yardsticks.shown(whole, parts, "half median")
    same_numbers(written.to_csv(), found.to_csv())
    results = pd.read_csv(reference.RESULTS / "results.csv")
    assert (reference.RESULTS / "table.md").read_text() == reference.summary(results)


def test_judgements_of_differences_are_those_of_the_panel():
    """Of some models, without their intervals."""
    written = pd.read_csv(differences.RESULTS / "models.csv").set_index("model")
    table = measures_tables.with_counts(read_results(RESULTS))
    for name in ("size", "class_signal + A_0[half median]", "class counts"):
        found = predict_differences(table, differences.MODELS[name])
        for prefix, same in (("", False), ("same_", True)):
            row = judge_differences(found, same_size=same, resamples=0)
            for kind in ("brier", "concordance"):
                assert written.loc[name, prefix + kind] == pytest.approx(row[kind], abs=1e-4)
    fitted = fit_predictor(table, differences.PREDICTOR)
    committed = load_predictor(RESULTS)
    assert fitted.coefficients == pytest.approx(committed.coefficients, rel=1e-6)
    assert fitted.scale == pytest.approx(committed.scale, rel=1e-3)
