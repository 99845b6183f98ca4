"""Numbers of what predicts which of two subsets is better, from the tables of the experiments."""

import functools
from collections.abc import Iterator

import pandas as pd

from experiments.ceiling import RESULTS as CEILING
from experiments.differences import RESULTS as DIFFERENCES
from experiments.measures import RESULTS as MEASURES
from experiments.panel import RESULTS as PANEL
from experiments.panel2_tables import EFFECTS, RULES
from experiments.panel2_tables import RESULTS as PANEL2
from lcrjax.study.prediction.files import load_predictor


@functools.cache
def judged() -> pd.DataFrame:
    return pd.read_csv(DIFFERENCES / "models.csv").set_index("model")


@functools.cache
def within(table: str = "compared") -> pd.DataFrame:
    return pd.read_csv(MEASURES / f"{table}.csv").set_index("features")


def percent(model: str, kind: str = "concordance") -> str:
    """How often a model names the better, and the interval over datasets."""
    row = judged().loc[model]
    value, lower, upper = (
        100 * row[f"{kind}{end}"] for end in ("", "_lower_datasets", "_upper_datasets")
    )
    return f"{value:.0f} % ({lower:.0f} to {upper:.0f} %)"


def share(features: str) -> str:
    """Adjusted R² within datasets, and the interval over datasets."""
    row = within().loc[features]
    lower, upper = row["over datasets"].split(" to ")
    return f"{row['adj_r2_within']:.2f} ({float(lower):.2f} to {float(upper):.2f})"


def brier(model: str, kind: str = "brier") -> str:
    return f"{judged().loc[model, kind]:.3f}"


def lower_by(first: str, second: str) -> str:
    """By how much lower a Brier score is, and the interval over datasets."""
    table = pd.read_csv(DIFFERENCES / "brier.csv")
    (row,) = table[(table["model"] == first) & (table["than"] == second)].to_dict("records")
    return f"{row['lower by']:.3f} ({row['over datasets']})"


PAIR = "class_signal + A_0[half median]"


def readme() -> Iterator[str]:
    yield f"explains {share('class counts alone')} of the variance of balanced accuracy"
    yield f"size alone {share('size')}, class balance {share('CB_1')}"
    yield f"named the better of two subsets in {percent(PAIR)} of pairs, size in {percent('size')}"
    yield (
        f"paper's scale explains {share('A_0')}, at half the median distance "
        f"{share('A_0[laplacian:0.5median]')}"
    )
    more = pd.read_csv(MEASURES / "differences.csv").iloc[0]
    assert (more["more"], more["than"]) == ("own_signal[rmsd:30]", "class counts alone")
    lower, upper = map(float, more["over datasets"].split(" to "))
    yield f"similarity adds {more['difference']:.2f} ({lower:.2f} to {upper:.2f})".replace("-", "−")


def predicting() -> Iterator[str]:
    chosen = "three, chosen"
    yield (
        f"Brier score is {brier(PAIR)}, lower than that of size by {lower_by(PAIR, 'size')} and of "
        f"class balance by {lower_by(PAIR, 'CB_1')}"
    )
    yield f"calibration error is {judged().loc[PAIR, 'calibration error']:.3f}"
    yield f"three that the others chose reach {brier(chosen)}"
    yield f"class balance alone names the better in {percent('CB_1', 'same_concordance')}"
    candidates = pd.read_csv(DIFFERENCES / "candidates.csv")
    best = candidates.nlargest(1, "same_concordance").iloc[0]
    yield f"the best of {len(candidates)} measures in {100 * best['same_concordance']:.0f} %"
    yield f"it names the better in {percent('size')}"
    counts = "class counts"
    yield (
        f"a Brier score of {brier(counts)} and a calibration error of "
        f"{judged().loc[counts, 'calibration error']:.3f}"
    )
    yield f"score by {lower_by(f'nearest neighbour + {counts}', counts)}"
    table = within("best").reset_index()
    sizes = table["features"].str.count(r" \+ ") + 1
    top = {k: table[sizes == k].nlargest(1, "adj_r2_within").iloc[0] for k in (1, 2, 3)}
    mean = table[sizes == 1].nlargest(1, "mean of datasets").iloc[0]
    nested = pd.read_csv(MEASURES / "selected.csv")
    nested = nested[nested["dataset"] == "mean"].set_index("choice")["r2"]
    for said, k in (("one measure", 1), ("two measures", 2), ("three measures", 3)):
        yield f"| {said}…|…| {top[k]['adj_r2_within']:.3f} ({top[k]['over datasets']})"
    yield f"R² in each | 0.76 | {mean['mean of datasets']:.3f}, `{mean['features']}`"
    lower, upper = (best[f"same_concordance_{end}_datasets"] for end in ("lower", "upper"))
    between = f"{lower:.3f} to {upper:.3f}"
    yield f"equal size | 0.88 | {best['same_concordance']:.3f} ({between}), `{best['model']}`"
    one, two, three = (f"{nested[k]:.3f}" for k in ("one", "two", "three"))
    yield f"chose explain {one}, {two} and {three} on average"


def effect(said: str, target: str = "bacc") -> dict[str, float]:
    """The mean over datasets of an effect in the second panel, in points."""
    table = pd.read_csv(PANEL2 / f"effects-{target}.csv")
    (row,) = table[(table["effect"] == said) & (table["dataset"] == "mean")].to_dict("records")
    return row


def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def over_datasets(row: dict[str, float]) -> str:
    return f"{signed(row['low_datasets'])} to {signed(row['high_datasets'])}"


#: Steps of the second panel: from redundant to random, on to diverse, and there with outliers.
STEPS = (
    "random instead of redundant, outliers avoided",
    "diverse instead of random, outliers avoided",
    "diverse instead of random, outliers sought",
)


REPRESENTS = "1 / mmd[laplacian:0.5median]"


def alone(feature: str) -> str:
    """How often a measure names the better of two subsets of one size and balance."""
    row = pd.read_csv(PANEL2 / "named-better-bacc.csv").set_index("feature").loc[feature]
    value, lower, upper = (
        100 * row[end] for end in ("concordance", "lower_datasets", "upper_datasets")
    )
    return f"{value:.0f} % ({lower:.0f} to {upper:.0f} %)"


def readme_of_diversity() -> Iterator[str]:
    redundant, diverse, sought = map(effect, STEPS)
    yield (
        f"score {redundant['estimate']:.1f} points of balanced accuracy higher than the most "
        f"redundant ones ({redundant['low_datasets']:.1f} to {redundant['high_datasets']:.1f})"
    )
    yield (
        f"is worth {signed(diverse['estimate'])} ({over_datasets(diverse)}) points, "
        f"and {signed(sought['estimate'])} ({over_datasets(sought)}) where"
    )
    both = alone(REPRESENTS), alone("A_1")
    yield f"names the better one in {both[0]} of pairs, its diversity A_1 in {both[1]}"


def diversity_alone() -> Iterator[str]:
    redundant, diverse, sought = map(effect, STEPS)
    yield (
        f"scores {redundant['estimate']:.1f} points higher than the most redundant choice (over "
        f"datasets {redundant['low_datasets']:.1f} to {redundant['high_datasets']:.1f}), in "
        f"{redundant['positive']:.0f} of 8 datasets"
    )
    yield (
        f"changes the score by {signed(diverse['estimate'])} points ({over_datasets(diverse)}), "
        f"and is better in {diverse['positive']:.0f} of 8 datasets"
    )
    yield (
        f"It scores {signed(sought['estimate'])} points ({over_datasets(sought)}), and is better "
        f"in {sought['positive']:.0f} of 8"
    )
    estimates = [[effect(e.name, rule)["estimate"] for rule in RULES] for e in EFFECTS]
    apart = max(max(each) - min(each) for each in estimates)
    yield f"estimates of each effect differ by {apart:.1f} points at most"
    yield f"is the better in {alone(REPRESENTS)} of pairs"
    yield f"which trains nothing, is as good: {alone('nn_bacc[rmsd:1]')}"
    yield f"$A_1$ names the better in {alone('A_1')}"
    yield f"$R_1$ says most**: {alone('R_1')}"


@functools.cache
def ceiling(rule: str = "panel") -> pd.DataFrame:
    return pd.read_csv(CEILING / f"ceiling-{rule}.csv").set_index("dataset")


def most(rule: str = "panel") -> str:
    """Share of variance that can be explained, and the interval over datasets."""
    row = ceiling(rule).loc["all"]
    return f"{row['r2']:.2f} ({row['r2_low_datasets']:.2f} to {row['r2_high_datasets']:.2f})"


def readme_of_the_ceiling() -> Iterator[str]:
    yield f"nothing could explain more than {most()}"


def the_ceiling() -> Iterator[str]:
    everything, rows = ceiling().loc["all"], pd.read_csv(CEILING / "rows.csv")
    seeds = rows["repetition"].nunique()
    subsets = len(rows[["dataset", "n", "subset"]].drop_duplicates())
    yield f"trained {subsets} of the panel's subsets with four other seeds, {len(rows)} models"
    assert seeds == 4
    yield f"more than {most()}".replace(" (", "** (")
    table = within("best").reset_index()
    sizes = table["features"].str.count(r" \+ ") + 1
    best = [table[sizes == k]["adj_r2_within"].max() / everything["r2"] for k in (1, 2, 3)]
    one, two, three = (f"{100 * x:.0f} %" for x in best)
    yield f"explains {one} of that, the best pair {two}, the best three {three}"
    paper = within().loc["A_0", "adj_r2_within"] / everything["r2"]
    yield f"A_0 at the paper's scale {100 * paper:.0f} %"
    named = [
        100 * everything[f"concordance{end}"] for end in ("", "_low_datasets", "_high_datasets")
    ]
    yield f"in {named[0]:.0f} %** ({named[1]:.0f} to {named[2]:.0f} %)"
    yield f"ceiling is {most('bacc')} for models"
    yield f"and {most('bacc_beyond')} thirty epochs later"
    apart = [ceiling(rule).loc["all", "sd_seeds"] for rule in ("bacc_beyond", "bacc")]
    yield f"differ by {apart[0]:.1f} points instead of {apart[1]:.1f}"
    row = ceiling().loc["pneumonia"]
    yield f"by {row['sd_seeds']:.1f} points, and no more than {row['r2']:.2f}"
    candidates = pd.read_csv(DIFFERENCES / "candidates.csv")["same_concordance"].max()
    yield f"The best does in {100 * candidates:.0f} %"
    for said, value in (
        ("adjusted R² | 0.72", everything["r2"]),
        ("two measures | 0.80", everything["r2"]),
        ("three measures | 0.83", everything["r2"]),
        ("R² in each | 0.76", ceiling().drop("all")["r2"].mean()),
        ("equal size | 0.88", everything["concordance"]),
    ):
        yield f"{said} |…| {value:.2f} |"


def beside_the_baselines() -> Iterator[str]:
    for said, feature in (
        ("class counts alone, which look at no image", "class counts alone"),
        ("nearest neighbour on other training images", "nn_bacc[rmsd:1]"),
        ("$A_0$, the paper's best", "A_0"),
        ("$A_1$", "A_1"),
        ("$CB_1$", "CB_1"),
        ("size", "size"),
    ):
        yield f"{said} | {share(feature)} |"
    yield f"(predicting.md#the-ceiling)) | {most()} |"


def two_datasets() -> Iterator[str]:
    ends = load_predictor(PANEL).ranges["size"]
    yield f"from scratch on {ends[0]:,.0f} to {ends[1]:,.0f} images"
