"""Tables of the second panel and of the ceiling, on rows that are made up."""

import functools
import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from experiments import ceiling as experiment
from experiments import ceiling_tables, panel2_tables
from experiments.ceiling import chosen, new_seed
from experiments.ceiling_tables import as_text, ceiling
from experiments.panel2_figure import diversity_figure
from experiments.panel2_tables import EFFECTS, each_dataset, effects, levels, side_by_side
from lcrjax.data import load
from lcrjax.study import StudyConfig
from lcrjax.study.run.trainings import train_blocks
from tests.study import fake_parts as fake


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(panel2_tables, "_RESAMPLES", 400)
    monkeypatch.setattr(ceiling_tables, "_RESAMPLES", 100)


def panel(noise=0.0, gains=(0.04, 0.08, -0.02)):
    """Three datasets: 0.1 is lost by redundancy, gains by diversity, 0.05 lost by outliers."""
    draw = np.random.default_rng(0)
    rows = []
    for (k, gain), n, outliers, level in itertools.product(
        enumerate(gains), (64, 128), ("avoided", "sought"), range(10)
    ):
        t = 2 * level / 9 - 1
        bacc = 0.6 + n / 1000 + 0.1 * min(t, 0) + gain * max(t, 0) - 0.05 * (outliers == "sought")
        rows.append(
            {"dataset": f"d{k}", "n": n, "outliers": outliers, "level": level, "epochs": 5,
             "A_1": 10 * 2 ** (bacc * 20 - n / 50), "bacc": bacc + noise * draw.normal()}
        )  # fmt: skip
    return pd.DataFrame(rows).assign(
        bacc_running=lambda t: t["bacc"], bacc_beyond=lambda t: t["bacc"] + 0.01
    )


def test_effects_are_what_the_rows_were_made_of():
    found = effects(panel(), "bacc").set_index(["effect", "dataset"])
    for outliers in ("avoided", "sought"):
        redundant = found.loc[f"random instead of redundant, outliers {outliers}"]
        np.testing.assert_allclose(redundant["estimate"], 10)
        np.testing.assert_allclose(redundant["low"], 10)
        diverse = found.loc[f"diverse instead of random, outliers {outliers}"]
        np.testing.assert_allclose(diverse["estimate"], [4, 8, -2, 10 / 3])
        assert diverse["positive"]["mean"] == 2
        # Of 27 draws of three datasets the lowest two have these means, and the highest.
        assert round(diverse["low_datasets"]["mean"], 6) in (-2, 0)
        assert round(diverse["high_datasets"]["mean"], 6) in (8, 6.666667)
        # A_1 was made to double with every 5 points, at one size.
        np.testing.assert_allclose(
            found.loc[f"per doubling of A_1, outliers {outliers}", "estimate"], 5
        )
    np.testing.assert_allclose(found.loc[EFFECTS[-1].name, "estimate"], -5)
    assert found.loc[EFFECTS[-1].name, "subsets"].tolist() == [40, 40, 40, 120]


def test_effects_and_intervals_are_those_of_least_squares():
    table = panel(noise=0.02).assign(t=lambda t: 2 * t["level"] / 9 - 1)
    table["low"], table["high"] = table["t"].clip(upper=0), table["t"].clip(lower=0)
    found = effects(table, "bacc").set_index(["effect", "dataset"])
    own = table[(table["dataset"] == "d1") & (table["outliers"] == "avoided")]
    model = smf.ols("I(100 * bacc) ~ low + high + C(n)", own).fit()
    for name, said in (("low", "random instead of redundant"), ("high", "diverse instead of")):
        (effect,) = [e.name for e in EFFECTS if e.name.startswith(said) and "avoided" in e.name]
        row = found.loc[(effect, "d1")]
        assert row["estimate"] == pytest.approx(model.params[name])
        half = (row["high"] - row["low"]) / 2
        assert half == pytest.approx(1.96 * model.bse[name], rel=0.5)


def test_texts_and_figures_hold_every_effect_level_and_dataset():
    table = panel(noise=0.01)
    found = {target: effects(table, target) for target in ("bacc", "bacc_beyond")}
    both = side_by_side(found)
    assert list(both.columns) == ["points of BACC", "at the criterion", "30 epochs beyond"]
    assert len(both) == len(EFFECTS)
    assert "; 3 of 3 above 0)" in both.iloc[0, 1]
    each = each_dataset(found["bacc"])
    assert each["dataset"].tolist() == ["d0", "d1", "d2", "mean"]
    assert each.shape[1] == 1 + len(EFFECTS)
    assert len(levels(table)) == 2 * 2 * 10
    axes = [ax for ax in diversity_figure(table, "bacc_beyond").axes if ax.get_visible()]
    assert [ax.get_title() for ax in axes] == ["d0", "d1", "d2"]
    assert sum(len(line.get_xdata()) for line in axes[0].lines) == 40


def repeated(trainings=300, between=3.0, among=2.0, subsets=60):
    """Scores whose expectations differ by `between` points, and trainings by `among`."""
    draw = np.random.default_rng(0)
    rows = []
    for d, n, s in itertools.product("ab", (64, 128), range(subsets)):
        middle = 50 + n / 20 + between * draw.normal()
        scores = (middle + among * draw.normal(size=trainings)) / 100
        rows += [{"dataset": d, "n": n, "subset": s, "bacc": x} for x in scores]
    return pd.DataFrame(rows)


def test_the_ceiling_is_what_expectations_explain():
    rows = repeated()
    found = ceiling(rows, "bacc").set_index("dataset").loc["all"]
    middles = rows.groupby(["dataset", "n", "subset"])["bacc"].mean()
    one = rows.groupby(["dataset", "n", "subset"])["bacc"].first()
    at_size = [(middles.loc[cell].to_numpy(), one.loc[cell].to_numpy())
               for cell in itertools.product("ab", (64, 128))]  # fmt: skip
    # What knowing the expectations is worth, counted.
    apart = [(m[:, None] - m, s[:, None] - s) for m, s in at_size]
    right = np.mean([np.mean((x * y > 0)[np.triu_indices(len(x), 1)]) for x, y in apart])
    assert found["concordance"] == pytest.approx(right, abs=0.03)
    assert found["sd_seeds"] == pytest.approx(2, rel=0.02)
    left = np.concatenate([one.loc[d] - middles.loc[d] for d in "ab"])
    total = np.concatenate([one.loc[d] - one.loc[d].mean() for d in "ab"])
    assert found["r2"] == pytest.approx(1 - left @ left / (total @ total), abs=0.04)
    assert found["r2_low"] < found["r2"] < found["r2_high"]


def test_few_trainings_give_the_same_ceiling_on_average():
    many, few = (ceiling(repeated(k), "bacc")["r2"].iloc[-1] for k in (300, 3))
    assert few == pytest.approx(many, abs=0.05)


def test_the_whole_panel_has_a_ceiling_of_its_own():
    rows = repeated(4)
    whole = repeated(1, subsets=100).assign(bacc=lambda t: t["bacc"] * 1.5)
    wide = pd.concat([whole, whole.assign(n=1024, bacc=whole["bacc"] + 0.2)])
    found = ceiling(rows, "bacc", wide).set_index("dataset").loc["all"]
    total = wide["bacc"].groupby(wide["dataset"]).var().mean() * 1e4
    assert found["sd_all"] == pytest.approx(np.sqrt(total))
    noise = rows.groupby(["dataset", "n", "subset"])["bacc"].var().mean() * 1e4
    assert found["r2"] == pytest.approx(1 - noise / total, abs=0.02)
    text = as_text(ceiling(rows, "bacc", wide))
    assert "over datasets" in text["R² at most"].iloc[-1]


def test_subsets_are_chosen_evenly_and_seeds_are_new():
    table = pd.DataFrame(
        [{"dataset": d, "n": n, "subset": s, "seed": 7 * s}
         for d in "ab" for n in (64, 256, 512) for s in range(30)]
    )  # fmt: skip
    found = chosen(table, 12)
    assert found.groupby(["dataset", "n"]).size().tolist() == [3, 3, 3, 3]
    assert found["n"].max() == 256
    seeds = {new_seed(old, k) for old in table["seed"] for k in range(1, 5)}
    assert len(seeds) == 4 * table["seed"].nunique()


def test_the_ceiling_goes_on_where_it_was_cut_off(tmp_path, monkeypatch):
    (tmp_path / "files").mkdir()
    toy = load(fake.write_npz(tmp_path / "files" / "toy.npz", fake.dataset()))
    config = StudyConfig(sizes=(16, 32), bins=3, per_bin=2, candidates=300)
    panel = fake.run_study([toy], tmp_path / "panel", config)
    trained = []

    def train(dataset, subsets, seeds, config, *, progress):
        assert config.beyond == 30
        if len(trained) == 3:
            trained.append([])
            raise KeyboardInterrupt
        trained.append(seeds)
        return fake.train(dataset, subsets, seeds, config)

    door = functools.partial(train_blocks, train=train)
    monkeypatch.setattr(experiment, "train_blocks", door)
    monkeypatch.setattr(experiment, "keep_compiled_programs", lambda: None)
    folders = ["--panel", str(tmp_path / "panel"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["ceiling", str(tmp_path / "files"), *folders])
    with pytest.raises(KeyboardInterrupt):
        experiment.main()
    experiment.main()
    rows = pd.read_csv(tmp_path / "out" / "rows.csv")
    seeds = [seed for some in trained for seed in some]
    assert sorted(seeds) == sorted(rows["seed"])
    assert len(set(seeds)) == len(seeds) == 4 * len(panel)
    assert rows["repetition"].is_monotonic_increasing
    table = pd.read_csv(tmp_path / "out" / "ceiling-bacc.csv")
    # The panel's own training is one more at the criterion.
    assert table["trainings"].iloc[-1] == 5 * len(panel)
    assert pd.read_csv(tmp_path / "out" / "ceiling-bacc_beyond.csv")["trainings"].iloc[-1] == len(
        rows
    )
    assert (tmp_path / "out" / "table-panel.md").exists()
