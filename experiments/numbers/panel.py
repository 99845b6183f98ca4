"""Numbers of the panel's page and of the README, from the panel's results."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from experiments.numbers.measures import measured
from experiments.panel_tables import RESULTS, each_alone, reasons
from experiments.reference import RESULTS as REFERENCE
from lcrjax.study import read_results
from lcrjax.study.analysis import fixed_effects_r2, top_effect
from lcrjax.study.columns import FEATURES, PARAMETERS, SINGLES
from lcrjax.study.run.folder import read_description

NAMES = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@functools.cache
def panel() -> pd.DataFrame:
    return read_results(RESULTS / "results.parquet")


@functools.cache
def told_apart() -> pd.DataFrame:
    return reasons(panel(), "bacc").set_index("features")


def r2(way: str) -> dict[str, str]:
    """Adjusted R-squared of BACC by features, with datasets told apart in one of the ways."""
    return {name: f"{float(text.split()[0]):.2f}" for name, text in told_apart()[way].items()}


def within(models: Sequence[Sequence[str]]) -> dict[str, float]:
    """Adjusted R-squared of BACC within datasets by features."""
    found = fixed_effects_r2(panel(), models)
    return dict(zip(map(" + ".join, found["features"]), found["adj_r2_within"], strict=True))


@functools.cache
def higher(feature: str = "A_0", fraction: float | None = 0.25) -> tuple[float, float, float, int]:
    """By how many per cent the top in a feature scores more, the interval, in how many datasets."""
    found = top_effect(panel(), feature, fraction=fraction)
    last = (100 * (found[["ratio", "lower", "upper"]].iloc[-1] - 1)).round(6) + 0.0  # never -0.0
    return *last, int((found["ratio"].iloc[:-1] > 1).sum())


def readme() -> Iterator[str]:
    table, own = panel(), r2("an intercept per dataset")
    yield f"a regression of performance on {len(FEATURES)} diversities"
    yield (
        f"on {NAMES[table['dataset'].nunique()]} other datasets: {len(table)} subsets, a ResNet-18"
    )
    yield (
        f"| panel | **{own['A_0']}** | {own['A_1']} | {own['CB_1']} | {own['size']} "
        f"| {own['CB_1 + size']} |"
    )
    percent, lower, upper, _ = higher()
    yield (
        f"scored {percent:.1f} % higher than the quarter with the largest size (median of seven "
        f"datasets, 95 % interval {lower:.1f} to {upper:.1f} %; "
        f"by class balance {higher('CB_1')[0]:.1f} %)"
    )
    yield f"it is {-higher(fraction=None)[0]:.1f} % *lower*"
    yield f"A_0 reaches only {r2('three parameters')['A_0']} over our seven datasets"
    alpha = measured().dataset_level["alpha"][0]
    yield f"image-class pairs. {alpha:.1f} means: as diverse as about thirteen"


def panel_page() -> Iterator[str]:
    yield from designed(panel())
    yield from explained(panel())
    yield from compared_with_size(panel())
    curves = pd.read_csv(REFERENCE / "curves.csv")
    pneumonia = curves[curves["run"] == "pneumonia"]["test_bacc"]
    yield (
        f"its BACC was {pneumonia.iloc[0]:.2f} after one epoch and "
        f"{pneumonia.iloc[-1]:.2f} when 99 %"
    )


def designed(table: pd.DataFrame) -> Iterator[str]:
    """What was trained, and on what."""
    yield f"in this form: {len(table)} subsets, a ResNet-18"
    yield f"trained on each, {len(FEATURES)} features"
    decides = read_description(RESULTS)["decides"]
    for name, data in decides["datasets"].items():
        shape = "×".join(map(str, data["image_shape"]))
        yield f"| {name}…|…{shape}…| {data['train']:,}, {data['test']:,} | {data['classes']} |"
    sizes = sorted(map(int, decides["most_at"]))
    most = [decides["most_at"][str(size)] for size in sizes]
    yield (
        f"({len(table)} instead of 4,599; sizes {listed(f'{size:,}' for size in sizes)}, but only "
        f"{listed(map(str, most))} of each per dataset"
    )
    sides = [data["image_shape"][0] for data in decides["datasets"].values()]
    yield f"images of {min(sides)} to {max(sides)} pixels a side"
    yield f"BACC spans {table['bacc'].min():.2f} to {table['bacc'].max():.2f} (paper"
    yield f"the training took {table['seconds'].sum() / 60:.0f} minutes in all"
    (missed,) = table[~table["converged"]].to_dict("records")
    yield (
        f"criterion of {100 * decides['training']['target_accuracy']:.0f} % training accuracy. The "
        f"exception is subset {missed['subset']} of {missed['dataset']}, {missed['n']} images"
    )
    yield f"so it cannot reach more than {100 * missed['train_accuracy']:.1f} %."
    yield f"It ran its {missed['epochs']:,} epochs"


def explained(table: pd.DataFrame) -> Iterator[str]:
    """What features explain, over datasets and within."""
    adjusted = within(SINGLES)
    yield (
        f"among {len(FEATURES)} features $A_0$ explains most of what distinguishes one subset from "
        f"another ({adjusted['A_0']:.2f} of the variance of balanced accuracy; class balance "
        f"{adjusted['CB_1']:.2f}, size {adjusted['size']:.2f})"
    )
    plain, own = r2("three parameters"), r2("an intercept per dataset")
    yield f"no: there $A_0$ explains {plain['A_0']} and class balance {plain['CB_1']}."
    yield (
        f"the paper's order returns: $A_0$ {own['A_0']}, $A_1$ {own['A_1']}, $CB_1$ {own['CB_1']}, "
        f"size {own['size']}."
    )
    yield (
        f"$A_0$ {own['A_0']} (paper 0.67), $A_1$ {own['A_1']} (0.61), $CB_1$ {own['CB_1']} (0.54), "
        f"size {own['size']} (0.37), $A_1$ with size {own['A_1 + size']} (0.79)"
    )
    yield f"the paper's own regression does as well: $A_0$ {r2('more than two classes')['A_0']}."
    both = within([("A_1", "size"), ("CB_1", "size"), ("A_0", "size")])
    yield f"best class balance by {adjusted['A_0'] - adjusted['CB_1']:.2f}."
    yield (
        f"$A_1$ and size explain {both['A_1 + size']:.3f}, "
        f"$CB_1$ and size {both['CB_1 + size']:.3f}, $A_0$ and size {both['A_0 + size']:.3f}"
    )
    worst = np.abs(table["CB_1"] * table["G_1"] * table["R_1"] / table["A_1"] - 1).max()
    yield f"(to {worst:.0e} in every row)"

    datasets = table.groupby("dataset")
    score = table["bacc"]
    between = datasets["bacc"].transform("mean").var(ddof=0) / score.var(ddof=0)
    logs = np.log(table[list(PARAMETERS)].to_numpy(float))
    design = np.column_stack([np.ones(len(logs)), logs])
    fitted = design @ np.linalg.lstsq(design, score, rcond=None)[0]
    yield f"Of the variance of BACC, {100 * between:.0f} % lies between datasets"
    yield f"they explain {100 * fitted.var() / score.var(ddof=0):.0f} %."
    yield f"the same three ({table.query('n_classes == 2')['n_pixels'].unique().item()} pixels, one"
    medians = datasets["bacc"].median()[["breast", "covid2", "pneumonia"]]
    yield f"median scores that differ by {medians.max() - medians.min():.2f}."
    best = each_alone(table, "bacc")["best"].str.split(",").str[0].value_counts()
    yield (
        f"best of all {len(FEATURES)} in {NAMES[best['A_0']]} of {NAMES[len(datasets)]} datasets, "
        f"and $A_1$ in {NAMES[best['A_1']]}."
    )


def compared_with_size(table: pd.DataFrame) -> Iterator[str]:
    """The subsets with the largest A_0 against the largest."""
    seven = table["dataset"].nunique()
    percent, lower, upper, count = higher()
    box, _, _, count3 = higher(fraction=None)
    yield (
        f"(paper: 8 %): {percent:.1f} % by quarters of equal count, {-box:.1f} % lower when "
        "compared as the paper does"
    )
    tops = top_effect(table).set_index("dataset")
    yield (
        f"scored higher in {count} of {seven} datasets, by {percent:.1f} % in the median "
        f"({lower:.1f} to {upper:.1f} %); of the datasets' own intervals only "
        f"{' '.join(tops.index[:-1][tops['lower'].iloc[:-1] > 1])}'s lies above 1"
    )
    size = table[table["dataset"] == "blood"]["size"]
    border = size.nlargest(round(len(size) / 4)).min()
    yield f"every subset from {size[size > border].min():.0f} images up and one of {border:.0f}"
    few = table[table["dataset"] == "breast"]["size"]
    top = few.nlargest(round(len(few) / 4)).value_counts()
    yield f"its {NAMES[top[512]]} of 512 and {NAMES[top[256]]} of 256"
    yield f"of those tied at {border:.0f} are in"
    yield (
        f"the largest $A_0$ scored {-box:.1f} % *lower*, and lower in {seven - count3} of "
        f"{seven} datasets"
    )
    boxes = top_effect(table, fraction=None).set_index("dataset")[["n_feature", "n_against"]]
    blood, breast = boxes.loc["blood"], boxes.loc["breast"]
    yield (
        f"{blood.iloc[0]} subsets against {blood.iloc[1]} ({breast.iloc[0]} against "
        f"{breast.iloc[1]} of breast)"
    )
    yield f"how little {blood.iloc[1]} subsets tell"
    three, _, _, above = higher(fraction=0.045)  # three of 68 subsets, and of 56
    yield f"$A_0$ scored {-three:.1f} % lower in the median, and higher in {above} of {seven}."
    others = {str(higher(feature)[3]) for feature in ("A_1", "CB_1")}
    yield f"both score higher in {' and '.join(others)} of {seven} datasets"
    ties = (size >= border).sum()
    yield f"everything tied at the border, {ties} of {len(size)} subsets"


def listed(items: Iterator[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}"
