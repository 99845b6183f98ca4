"""Tables of the replication panel, as CSV and Markdown, from its results.parquet.

Run `python -m experiments.panel_tables`, which needs `pip install tabulate`. The panel does so when
it is done.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lcrjax.report import rankings, write_figures
from lcrjax.study import read_results, search
from lcrjax.study.analysis.effect import top_effect
from lcrjax.study.analysis.fixed_effects import fixed_effects_r2
from lcrjax.study.analysis.paper_claims import claims
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import PARAMETERS

RESULTS = Path(__file__).parent / "results" / "panel"
ALONE = ("A_0", "A_1", "A_inf", "CB_1", "CB_inf", "R_0", "G_1", "size")


def by_size(table: pd.DataFrame) -> pd.DataFrame:
    """What was trained, and how it ended."""
    found = table.groupby(["dataset", "size"]).agg(
        subsets=("bacc", "size"),
        epochs=("epochs", "median"),
        converged=("converged", "sum"),
        bacc_lowest=("bacc", "min"),
        bacc_median=("bacc", "median"),
        bacc_highest=("bacc", "max"),
        auc_median=("auc", "median"),
    )
    return found.reset_index().astype({"size": int})


def each_alone(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Adjusted R-squared of single features in each dataset by itself."""
    rows = {}
    for name, part in table.groupby("dataset"):
        found = search(part, target, 1, always=())
        values = {f[0]: r2 for f, r2 in zip(found["features"], found["adj_r2"], strict=True)}
        best = found["features"].iloc[0][0]
        rows[name] = {"subsets": len(part), "best": f"{best}, {values[best]:.3f}"} | {
            key: values.get(key) for key in ALONE
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("dataset").reset_index()


def reasons(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Adjusted R-squared where datasets are told apart in other ways than by three parameters.

    Beside the paper's regressions: with an intercept for every dataset; of the datasets of more
    than two classes; of those of two. Intervals (95 %) are of a bootstrap over subsets.
    """
    datasets = sorted(table["dataset"].unique())
    # Regressions take logs: e is 1, and 1 is 0.
    marks = {
        f"is {name}": np.exp((table["dataset"] == name).astype(float)) for name in datasets[1:]
    }
    few = table["n_classes"] == 2
    ways = {
        "three parameters": (table, PARAMETERS),
        "an intercept per dataset": (table.assign(**marks), tuple(marks)),
        "more than two classes": (table[~few], PARAMETERS),
        "two classes": (table[few], PARAMETERS),
    }
    models = [("A_0",), ("A_1",), ("CB_1",), ("size",), ("A_1", "size"), ("CB_1", "size")]
    columns = {}
    for name, (rows, always) in ways.items():
        found = bootstrap(rows, models, target, always, resamples=1000).intervals()
        columns[name] = [
            f"{r2:.3f} ({low:.3f} to {high:.3f})"
            for r2, low, high in found[["adj_r2", "lower", "upper"]].itertuples(index=False)
        ]
        order = [" + ".join(f) for f in found["features"]]
    return pd.DataFrame(columns, index=order).rename_axis("features").reset_index()


def tops(table: pd.DataFrame) -> pd.DataFrame:
    """By how many per cent the highest in a feature score more than the largest, in the median.

    Intervals (95 %) are of a bootstrap over subsets; then the datasets in which they score more.
    """
    rows = []
    for feature in ("A_0", "A_1", "CB_1"):
        row = {"feature": feature}
        for way, fraction in (("exact quarters", 0.25), ("as in figure 3", None)):
            found = top_effect(table, feature, fraction=fraction)
            each, last = (
                found["ratio"].iloc[:-1],
                100 * (found[["ratio", "lower", "upper"]].iloc[-1] - 1),
            )
            row[way] = "{:+.1f} % ({:+.1f} to {:+.1f} %)".format(*last)
            row[f"datasets, {way}"] = f"{(each > 1).sum()} of {len(each)}"
        rows.append(row)
    return pd.DataFrame(rows)


def named(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(features=[" + ".join(f) for f in found["features"]])


def ranked(table: pd.DataFrame, target: str, kind: str) -> pd.DataFrame:
    return named(rankings(table, target)[kind].head(27))[["features", "adj_r2", "r2", "n"]]


def within(table: pd.DataFrame, target: str) -> pd.DataFrame:
    return named(fixed_effects_r2(table, target=target))


#: By name, what makes a table of the panel's results.
TABLES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "subsets": by_size,
    **{
        f"{name}-{target}": partial(make, target=target, **more)
        for target in ("bacc", "auc", "acc")
        for name, make, more in (
            ("claims", claims, {}),
            *((kind, ranked, {"kind": kind}) for kind in ("singles", "pairs", "triples")),
            ("within", within, {}),
            ("reasons", reasons, {}),
            ("alone", each_alone, {}),
        )
    },
    "top": top_effect,
    "top-figure3": partial(top_effect, fraction=None),
    "top-features": tops,
}


def write(folder: Path) -> None:
    """Write tables and figures beside a panel's results."""
    table = read_results(folder / "results.parquet")
    for name, make in TABLES.items():
        found = make(table)
        found.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
        shown = found.astype(object).where(found.notna(), None)
        text = shown.to_markdown(index=False, floatfmt=".3f", missingval="")
        (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    write_figures(table, folder / "figures", suffixes=(".png",))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
