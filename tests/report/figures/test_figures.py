from functools import partial

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from lcrjax.report import (
    alpha_figure,
    class_balance_figure,
    correlation_figure,
    ranking_figure,
    size_figure,
    write_figures,
)
from lcrjax.report.figures.boxes import equal_bins
from lcrjax.report.figures.style import check_place, dataset_colours
from lcrjax.study.analysis.combinations import search


def texts(figure):
    return [t.get_text() for t in figure.findobj(Text)]


@pytest.mark.parametrize("datasets", [1, 3, 9])
@pytest.mark.parametrize("draw", [class_balance_figure, size_figure, alpha_figure])
def test_one_panel_per_dataset_in_its_colour(correlated, draw, datasets):
    table = correlated(rows=180, datasets=datasets)
    figure = draw(table)
    names = sorted(table.dataset.unique())
    assert [ax.get_title() for ax in figure.axes] == names
    colours = dataset_colours(table)
    assert len(set(colours.values())) == datasets
    for ax, name in zip(figure.axes, names, strict=True):
        boxes = ax.patches
        assert len(boxes) == 3
        for box in boxes:
            assert mpl.colors.same_color(box.get_edgecolor(), colours[name])


def test_the_number_is_the_median_of_the_top(correlated):
    table = correlated(rows=120, datasets=2)
    figure = size_figure(table, "acc")
    for ax, (_, rows) in zip(figure.axes, table.groupby("dataset"), strict=True):
        top = rows.loc[rows["size"] == 256, "acc"].median()
        assert f"{top:.2f}" in [t.get_text() for t in ax.texts]


def test_bins_hold_equal_counts_and_keep_ties_together():
    rng = np.random.default_rng(0)
    bins = equal_bins(pd.Series(rng.normal(size=100)), 4)
    np.testing.assert_array_equal(np.bincount(bins), [25, 25, 25, 25])
    tied = equal_bins(pd.Series([1.0] * 9 + [2.0]), 5)
    assert len(set(tied[:9])) == 1
    assert tied.max() <= 1


def test_bars_are_the_search(correlated):
    table = correlated()
    figure = ranking_figure(table, resamples=50)
    for size, ax in enumerate(figure.axes[:3], start=1):
        widths = [bar.get_width() for bar in ax.patches]
        np.testing.assert_allclose(widths, search(table, size=size).adj_r2.head(10))
    assert "all features" in texts(figure)


def test_panels_without_rows_say_so(correlated):
    figure = ranking_figure(correlated(rows=6))
    assert texts(figure).count("too few rows or features") == 2


def test_the_heat_map_holds_every_feature_that_varies(correlated):
    figure = correlation_figure(correlated().assign(size=64))
    image = figure.axes[1].images[0].get_array()
    assert image.shape == (26, 26)
    np.testing.assert_allclose(np.diag(image), 1)


def test_writing_leaves_matplotlib_as_it_was(correlated, tmp_path):
    before = dict(mpl.rcParams)
    written = write_figures(correlated(rows=80, datasets=2), tmp_path / "figures")
    assert len(written) == 10
    assert all(path.stat().st_size > 5000 for path in written)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_figures_that_a_table_cannot_support_are_left_out_and_logged(correlated, tmp_path, caplog):
    written = write_figures(correlated(rows=3, datasets=2), tmp_path, suffixes=(".svg",))
    assert [path.stem for path in written] == [
        "fig3a-class-balance",
        "fig3b-size",
        "fig3c-alpha",
        "fig5-correlations",
    ]
    assert "fig4-rankings is left out: 3 rows cannot support" in caplog.text


def test_a_dataset_without_scores_has_no_panel(correlated):
    table = correlated(rows=60, datasets=2)
    table.loc[table.dataset == "dataset 0", "bacc"] = np.nan
    for draw in (size_figure, alpha_figure):
        assert [ax.get_title() for ax in draw(table).axes] == ["dataset 1"]
    with pytest.raises(ValueError, match="no row of the table has all of bacc, size"):
        size_figure(table.assign(bacc=np.nan))
    with pytest.raises(ValueError, match="no column 'bacc'"):
        size_figure(table.drop(columns="bacc"))


def test_rows_without_a_score_are_not_drawn(correlated):
    table = correlated(rows=60, datasets=1)
    table.loc[table["size"] == 256, "bacc"] = np.nan
    assert isinstance(size_figure(table), Figure)
    assert len(size_figure(table).axes[0].patches) == 2


def test_a_notebook_shows_a_picture(correlated):
    picture = size_figure(correlated(rows=60, datasets=2))._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5000


@pytest.mark.parametrize(
    "draw", [size_figure, partial(ranking_figure, resamples=0), correlation_figure]
)
def test_a_figure_takes_the_place_of_axes_and_leaves_the_others(correlated, draw):
    table = correlated(rows=60, datasets=2)
    whole = Figure(figsize=(12, 5))
    left, right = whole.subplots(1, 2)
    part = draw(table, ax=right)
    whole.draw_without_rendering()
    assert whole.axes == [left, *part.axes]
    assert len(part.axes) == len(draw(table).axes)
    for ax in part.axes:
        box = ax.get_tightbbox().transformed(whole.transFigure.inverted())
        assert 0.45 < box.x0 < box.x1 < 1.01
    assert left.get_tightbbox().transformed(whole.transFigure.inverted()).x1 < 0.55


def test_axes_whose_place_cannot_be_taken_are_refused_and_kept(correlated):
    whole = Figure()
    free = whole.add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="no grid of its figure: make it with"):
        size_figure(correlated(rows=60), ax=free)
    with pytest.raises(ValueError, match="ax is ndarray: give one axes, whose place all panels"):
        check_place(np.array([free]))
    good = whole.subplots()
    with pytest.raises(ValueError, match="no column 'bacc'"):
        size_figure(correlated(rows=60).drop(columns="bacc"), ax=good)
    assert whole.axes == [free, good]
