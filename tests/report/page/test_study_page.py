import json
import shutil

import numpy as np
import pytest
from PIL import Image

from lcrjax.numerics.progress import telling
from lcrjax.report import rankings, study_page
from lcrjax.report.figures.study_figures import STUDY_FIGURES
from lcrjax.study.run.store import read_results
from lcrjax.study.table import encode
from tests.report.page.conftest import NOTES
from tests.report.page.pages import check


@pytest.fixture(scope="module")
def page(study_text):
    return check(study_text)


def test_the_ranking_is_the_search(page, study_folder):
    found = rankings(read_results(study_folder))
    for kind in ("singles", "pairs"):
        for value in found[kind]["adj_r2"].head(3):
            assert f"{value:.3f}" in page.text
    assert "A few datasets cannot confirm" in page.text
    assert "The best single indicator of BACC is" in page.text
    assert "Of what varies within datasets, " in page.text


def test_figures_are_within_the_page(page):
    assert [a["alt"] for a in page.of("img")] == [figure.told(True) for figure in STUDY_FIGURES]
    assert all(a["src"].startswith("data:image/png;base64,") for a in page.of("img"))


def test_failures_and_unfinished_models_are_told_with_their_reasons(page):
    assert "<b>memory</b> ran out" in page.text
    assert "RuntimeError" in page.text
    assert "Models that stopped before they had learned their subset" in page.text
    assert "91 %" in page.text


def test_where_it_comes_from_is_told(page, study_folder):
    described = json.loads((study_folder / "config.json").read_text())["decides"]
    for facts in described["datasets"].values():
        assert facts["content_hash"] in page.text
    for number in described["versions"].values():
        assert number in page.text
    assert '"candidates": 2000' in page.text
    assert "<script>toy</script>" in page.text


def test_a_study_of_few_rows_says_so(study_folder, tmp_path):
    shutil.copytree(study_folder, tmp_path / "few")
    table = read_results(study_folder)
    few = table.head(3).assign(bacc=np.nan)
    (tmp_path / "few" / "results.parquet").write_bytes(encode(few, {}))
    shares: list[float] = []
    with telling(shares.append):
        text = check(study_page(tmp_path / "few", figures=[])).text
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert len(set(shares)) > 15  # one for every claim at least
    assert "No ranking: no complete row among 3" in text
    assert "too few rows, or constant" in text
    assert "its interval" not in text
    assert "A study of 40 subsets or more has intervals, too." in text


def test_a_figure_without_intervals_claims_none(study_folder, tmp_path):
    folder = shutil.copytree(study_folder, tmp_path / "few")
    table = read_results(study_folder)
    # Many subsets, but too few that have all values.
    table.loc[30:, "bacc"] = np.nan
    (folder / "results.parquet").write_bytes(encode(table, {}))
    Image.new("L", (20, 10)).save(tmp_path / "fig4-rankings.png")
    page = check(study_page(folder, figures=[tmp_path / "fig4-rankings.png"], resamples=9))
    assert [a["alt"] for a in page.of("img")] == [
        "Adjusted R² of single features, pairs, triples and groups."
    ]
    assert "its interval" not in page.text


def test_what_reading_held_out_is_told(page, study_folder, tmp_path):
    assert f"Licence: none. {NOTES[0]}" in page.text
    folder = shutil.copytree(study_folder, tmp_path / "old")
    described = json.loads((folder / "config.json").read_text())
    for facts in described["about"].values():
        del facts["notes"]  # as an earlier version wrote it
    (folder / "config.json").write_text(json.dumps(described))
    old = check(study_page(folder, figures=[], resamples=9)).text
    assert "Licence: none." in old
    assert "held out" not in old


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        study_page(tmp_path)
    (tmp_path / "config.json").write_text('{"decides": {}}')
    with pytest.raises(ValueError, match="holds no study"):
        study_page(tmp_path)
