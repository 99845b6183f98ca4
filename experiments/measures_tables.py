"""Tables of what predicts performance within datasets, as CSV and Markdown.

Run `python -m experiments.measures`, which measures and then writes them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.fixed_effects import centre, fixed_effects_r2
from lcrjax.study.analysis.nested import nested_selection
from lcrjax.study.analysis.resampling import Bootstrap, bootstrap
from lcrjax.study.columns import FEATURES
from lcrjax.study.measuring.names import candidates, column_of

TARGET = "bacc"
MEDIAN = "laplacian:0.5median"
#: Same as `own_signal` and `balanced_own_cross_1`, all images taken to be alike.
COUNTS, SHARES = "class counts alone", "class shares alone"

#: What is compared, by name: one measure or several.
SINGLES: tuple[tuple[str, ...], ...] = (
    *(("A_0",) if s == 1 else (column_of("A_0", f"rmsd:{s}"),) for s in (1, 3, 10, 30)),
    (column_of("A_0", MEDIAN),),
    *((column_of("balanced_own_cross_1", f"rmsd:{s}"),) for s in (10, 30, 50)),
    (SHARES,),
    *((column_of("own_signal", f"rmsd:{s}"),) for s in (1, 10, 30)),
    *((column_of("signal_to_noise", f"rmsd:{s}"),) for s in (3, 10)),
    (COUNTS,),
    ("nn_bacc[rmsd:1]",),
    ("kernel_bacc[rmsd:50]",),
    ("mmd[rmsd:10]",),
    ("own_facility_location[rmsd:10]",),
    ("vendi_2[rmsd:30]",),
    ("magnitude[rmsd:10]",),
    ("A_1",),
    ("CB_1",),
    ("size",),
)
#: What is compared two by two.
PAIRED = (
    ("own_signal[rmsd:30]", COUNTS),
    ("own_signal[rmsd:30]", "A_0"),
    ("own_signal[rmsd:30]", "nn_bacc[rmsd:1]"),
    (COUNTS, "A_0"),
    (COUNTS, "nn_bacc[rmsd:1]"),
    (column_of("A_0", MEDIAN), "A_0"),
    (column_of("A_0", MEDIAN), "A_0[rmsd:10]"),
    (column_of("A_0", MEDIAN), "nn_bacc[rmsd:1]"),
    ("A_0", "CB_1"),
)
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("size", "CB_1"),
    ("CB_1", column_of("A_0", MEDIAN)),
    ("size", "A_1"),
    ("size", SHARES),
    ("size", "balanced_own_cross_1[rmsd:30]"),
    ("size", "nn_bacc[rmsd:1]"),
    ("nn_bacc[rmsd:1]", "A_0[rmsd:10]"),
    ("nn_bacc[rmsd:1]", column_of("A_0", MEDIAN)),
    ("nn_bacc[rmsd:1]", COUNTS),
    ("nn_bacc[rmsd:1]", "own_signal[rmsd:30]"),
    ("nn_bacc[rmsd:1]", "A_0[rmsd:10]", "balanced_cross_1[rmsd:30]"),
)
#: Candidates of the choice of three: all of many would be millions of models.
TRIPLES = (
    *FEATURES,
    "nn_bacc[rmsd:1]",
    *(
        column_of(name, word)
        for word in ("rmsd:3", "rmsd:10", "rmsd:30", "rmsd:50", MEDIAN)
        for name in (
            "A_0",
            "A_1",
            "G_1",
            "R_0",
            "cross_1",
            "balanced_cross_1",
            "balanced_own_cross_1",
            "own_signal",
            "own_facility_location",
            "kernel_bacc",
        )
    ),
)


def with_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Add the measures that know classes and sizes alone."""
    # The mean share of the own class: the similarities cancel.
    ratio = table["balanced_class_cross_1[rmsd:1]"] / table["balanced_own_cross_1[rmsd:1]"]
    return table.assign(**{SHARES: ratio, COUNTS: ratio * np.sqrt(table["size"])})


def compared(table: pd.DataFrame, models: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Adjusted R² with an intercept per dataset, with intervals, and each dataset's own R².

    Intervals (95 %) are of a bootstrap over subsets, and of one over datasets.
    """
    within = fixed_effects_r2(table, models, TARGET)
    order = list(within["features"])
    for over in ("subsets", "datasets"):
        found = resampled(table, order, over).intervals()
        ends = zip(found["lower"], found["upper"], strict=True)
        within[f"over {over}"] = [f"{low:.3f} to {high:.3f}" for low, high in ends]
    each = dict(list(table.groupby("dataset")))
    for name, part in each.items():
        within[name] = [_alone(part, model) for model in order]
    within["mean of datasets"] = within[list(each)].mean(axis=1)
    shown = ["features", "adj_r2_within", "over subsets", "over datasets", "mean of datasets"]
    return _named(within[[*shown, *each]])


def resampled(table: pd.DataFrame, models: Sequence[Sequence[str]], over: str) -> Bootstrap:
    """Resample R² within datasets: of scores and logs whose datasets' means are taken out."""
    names = list(dict.fromkeys(name for model in models for name in model))
    datasets = table["dataset"].to_numpy()
    logs = centre(np.log(table[names].to_numpy(float)), datasets)
    scores = {TARGET: centre(table[TARGET].to_numpy(float), datasets), "dataset": datasets}
    centred = pd.DataFrame(np.exp(logs), columns=names).assign(**scores)
    return bootstrap(centred, models, TARGET, (), over=over, resamples=2000)


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """How much more one explains within datasets than another, with intervals (95 %)."""
    both = {over: resampled(table, list(SINGLES), over) for over in ("subsets", "datasets")}
    rows = []
    for first, second in PAIRED:
        row: dict[str, object] = {"more": first, "than": second}
        for over, drawn in both.items():
            found = drawn.difference(first, second)
            row["difference"] = found["difference"]
            row[f"over {over}"] = f"{found['lower']:.3f} to {found['upper']:.3f}"
            row[f"certainty over {over}"] = found["certainty"]
        rows.append(row)
    return pd.DataFrame(rows)


def _alone(part: pd.DataFrame, model: Sequence[str]) -> float:
    return float(search(part, TARGET, len(model), (), tuple(model))["r2"].iloc[0])


def selected(table: pd.DataFrame) -> pd.DataFrame:
    """What six datasets choose of all candidates, and what it is worth on the seventh."""
    rows = []
    pools = {
        ("one of the 27", 1): FEATURES,
        ("two of the 27", 2): FEATURES,
        ("one", 1): candidates(table),
        ("two", 2): candidates(table),
        ("three", 3): TRIPLES,
    }
    for (name, size), features in pools.items():
        found = nested_selection(table, features, size, TARGET)
        total = {"dataset": "all", "features": (), "r2_others": np.nan, **found.attrs}
        mean = {"dataset": "mean", "features": ()}
        mean |= found[["r2_others", "r2", "r2_transferred"]].mean().to_dict()
        whole = pd.concat([found, pd.DataFrame([mean, total])], ignore_index=True)
        whole.insert(0, "choice", name)
        rows.append(whole[["choice", *found.columns]])
    return _named(pd.concat(rows, ignore_index=True))


def best(table: pd.DataFrame) -> pd.DataFrame:
    """The best found on all seven datasets, which is what the choice above guards against."""
    marks = {
        f"is {name}": np.exp((table["dataset"] == name).astype(float))
        for name in sorted(table["dataset"].unique())[1:]
    }
    marked, models = table.assign(**marks), []
    for size, features in ((1, candidates(table)), (2, candidates(table)), (3, TRIPLES)):
        found = search(marked, TARGET, size, tuple(marks), features)
        models += list(found["features"].head(6))
    return compared(table, models)


def _named(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(features=[" + ".join(f) for f in found["features"]])


def write_table(found: pd.DataFrame, folder: Path, name: str) -> None:
    """Write a table as CSV and Markdown."""
    found.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
    shown = found.astype(object).where(found.notna(), None)
    text = shown.to_markdown(index=False, floatfmt=".3f", missingval="")
    (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def write(table: pd.DataFrame, folder: Path) -> None:
    """Write all tables of a panel that has more measures."""
    table = with_counts(table)
    write_table(compared(table, (*SINGLES, *TOGETHER)), folder, "compared")
    write_table(differences(table), folder, "differences")
    write_table(selected(table), folder, "selected")
    write_table(best(table), folder, "best")
