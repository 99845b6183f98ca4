"""Numbers of the page on curation, from the experiment's tables."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[1] / "results" / "curation"


def curation() -> Iterator[str]:
    rows = pd.read_csv(FOLDER / "rows.csv")
    lines = pd.read_csv(FOLDER / "summary.csv").set_index("strategy")
    models = rows[rows["size"].isin([64, 128, 256])].groupby("size").repetition.nunique()
    yield (
        f"There are {models[64]} repetitions with 64 images, {models[128]} with 128 and "
        f"{models[256]} with 256: {len(rows):,} models."
    )
    best, a_0, a_1 = (lines.loc[name] for name in ("herding", "A_0", "A_1"))
    yield (
        f"{100 * best['median']:.1f} points in the median, {100 * best['mean']:.1f} in the mean; "
        f"surely in {best.above:.0f} of {best.datasets:.0f} datasets."
    )
    yield (
        f"{-100 * a_0['median']:.0f} points are lost in the median with A_0, "
        f"{-100 * a_1['median']:.0f} with A_1; no dataset surely gains."
    )
    cells = pd.read_csv(FOLDER / "differences.csv").set_index(["dataset", "size", "strategy"])
    of_a_0 = cells.xs("A_0", level="strategy")
    assert (of_a_0["low"] > 0).sum() == 1
    yield f"One of {len(of_a_0)} cells shows the opposite"
    one, herd = (cells.loc[("digits", 256, name)] for name in ("A_0", "herding"))
    low, high = 100 * one.low, 100 * one.high
    yield (
        f"digits 256 images of the greatest A_0 gain {100 * one.difference:.1f} points "
        f"({low:.1f} to {high:.1f}), herding {100 * herd.difference:.1f}"
    )
    assert best.positive == best.datasets
    assert a_0.above == a_1.above == 0
    unknown = lines.loc["herding, labels unknown"]
    yield (
        f"Herding gains {100 * unknown['mean']:.1f} points in the mean. It gains in "
        f"{unknown.positive:.0f} of {unknown.datasets:.0f} datasets, surely in {unknown.above:.0f}."
    )
