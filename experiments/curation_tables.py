"""Tables of the curation experiment, from its rows: differences with intervals, and worth."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from experiments.curation_figure import curation_figure

AUTO, UNKNOWN = "herding", ", labels unknown"
#: What choosing has to beat, beside random choice.
OTHERS = ("k-centre", "k-means medoids", "facility location")
_LEVEL = 0.95


def write(folder: Path) -> None:
    """Write differences.csv, worth.csv, table.md and curation.png beside rows.csv."""
    rows = pd.read_csv(folder / "rows.csv")
    apart = pd.concat([differences(rows, "random"), differences(rows, "random" + UNKNOWN)])
    apart.to_csv(folder / "differences.csv", index=False, float_format="%.5f")
    worth(rows).to_csv(folder / "worth.csv", index=False, float_format="%.2f")
    datasets, all_over = by_dataset(apart), summary(apart)
    datasets.to_csv(folder / "datasets.csv", index=False, float_format="%.5f")
    all_over.to_csv(folder / "summary.csv", index=False, float_format="%.5f")
    against(datasets).to_csv(folder / "against.csv", index=False, float_format="%.5f")
    for known, name in ((True, "known.md"), (False, "unknown.md")):
        lines = all_over[all_over.strategy.str.endswith(UNKNOWN) != known]
        (folder / name).write_text(summary_text(lines))
    (folder / "against.md").write_text(against_text(against(datasets)))
    (folder / "worth.md").write_text(worth_text(worth(rows)))
    (folder / "table.md").write_text(as_text(rows, apart))
    curation_figure(rows).savefig(folder / "curation.png", dpi=150)


def differences(rows: pd.DataFrame, against: str) -> pd.DataFrame:
    """BACC of each strategy less that of random choice in the same repetition.

    Args:
        rows: One row per model.
        against: The strategy that the others of its kind are compared with.

    Returns:
        dataset, size, strategy, repetitions, bacc, difference, low, high: the mean of the paired
        differences and its 95 % interval (Student's t).
    """
    unknown = against.endswith(UNKNOWN)
    rows = rows[rows.strategy.str.endswith(UNKNOWN) == unknown]
    out = []
    for (name, size), cell in rows.groupby(["dataset", "size"], sort=False):
        table = cell.pivot(index="repetition", columns="strategy", values="bacc")
        for strategy in table.columns.drop(against, errors="ignore"):
            d = (table[strategy] - table[against]).dropna()
            half = np.nan
            if len(d) > 1:
                half = stats.t.ppf((1 + _LEVEL) / 2, len(d) - 1) * d.std() / np.sqrt(len(d))
            mean = d.mean()
            out.append(
                {"dataset": name, "size": size, "strategy": strategy, "repetitions": len(d),
                 "bacc": table[strategy].mean(), "difference": mean, "low": mean - half,
                 "high": mean + half}
            )  # fmt: skip
    return pd.DataFrame(out)


def by_dataset(apart: pd.DataFrame) -> pd.DataFrame:
    """Differences of each dataset and strategy: the mean over sizes, each of which counts the same.

    Args:
        apart: Of `differences`.

    Returns:
        dataset, strategy, sizes, difference, low, high: the interval (Student's t, with degrees of
        freedom after Satterthwaite) is of the sizes that have two repetitions or more.
    """
    out = []
    for (name, strategy), cell in apart.groupby(["dataset", "strategy"], sort=False):
        many = cell[cell.repetitions > 1]
        scaled = stats.t.ppf((1 + _LEVEL) / 2, many.repetitions - 1)
        variances = ((many.high - many.low) / 2 / scaled / max(len(many), 1)) ** 2
        half = np.nan
        if len(many):
            freedom = variances.sum() ** 2 / (variances**2 / (many.repetitions - 1)).sum()
            half = stats.t.ppf((1 + _LEVEL) / 2, freedom) * np.sqrt(variances.sum())
        mean = many.difference.mean()
        out.append(
            {"dataset": name, "strategy": strategy, "sizes": len(cell),
             "difference": cell.difference.mean(), "low": mean - half, "high": mean + half}
        )  # fmt: skip
    return pd.DataFrame(out)


def summary(apart: pd.DataFrame) -> pd.DataFrame:
    """What each strategy gains over random choice, over all datasets and sizes.

    Args:
        apart: Of `differences`.

    Returns:
        strategy, cells (of a dataset and a size), median and mean over them; of the datasets, how
        many there are, have a positive difference, and have an interval above and below zero.
    """
    out = []
    datasets = by_dataset(apart)
    for strategy, cell in apart.groupby("strategy", sort=False):
        own = datasets[datasets.strategy == strategy]
        out.append(
            {"strategy": strategy, "cells": len(cell), "median": cell.difference.median(),
             "mean": cell.difference.mean(), "datasets": len(own),
             "positive": (own.difference > 0).sum(), "above": (own.low > 0).sum(),
             "below": (own.high < 0).sum()}
        )  # fmt: skip
    return pd.DataFrame(out).sort_values("median", ascending=False)


def against(datasets: pd.DataFrame) -> pd.DataFrame:
    """What herding gains in each dataset, beside the best of other strategies.

    Args:
        datasets: Of `by_dataset`.

    Returns:
        dataset, difference, low, high, best (the name of the other strategy) and its difference.
    """
    out = []
    for name, cell in datasets.groupby("dataset", sort=False):
        own = cell.set_index("strategy")
        others = own.difference[own.index.isin(OTHERS)]
        line = own.loc[AUTO, ["difference", "low", "high"]].to_dict()
        best = others.idxmax()
        out.append({"dataset": name, **line, "best": best, "its": others[best]})
    return pd.DataFrame(out)


def worth(rows: pd.DataFrame) -> pd.DataFrame:
    """How many random images reach the mean BACC of n chosen ones, by interpolation in log n.

    Returns:
        dataset, size, strategy, random_images (infinite where more than were tried), ratio.
    """
    out = []
    for unknown in (False, True):
        kind = rows[rows.strategy.str.endswith(UNKNOWN) == unknown]
        for name, cell in kind.groupby("dataset", sort=False):
            means = cell.groupby(["strategy", "size"]).bacc.mean()
            chance = "random" + UNKNOWN * unknown
            if chance not in means:
                continue
            curve = means[chance].sort_index()
            best = np.maximum.accumulate(curve.to_numpy())
            for (strategy, size), bacc in means.drop(chance).items():
                if bacc > best[-1]:
                    images = np.inf
                else:
                    k = int(np.searchsorted(best, bacc))
                    x = np.log(curve.index.to_numpy(float))
                    images = float(
                        np.exp(
                            x[0]
                            if not k
                            else np.interp(bacc, best[k - 1 : k + 1], x[k - 1 : k + 1])
                        )
                    )
                out.append(
                    {"dataset": name, "size": size, "strategy": strategy, "random_images": images,
                     "ratio": images / size}
                )  # fmt: skip
    return pd.DataFrame(out)


def as_text(rows: pd.DataFrame, apart: pd.DataFrame) -> str:
    """The differences in points of BACC, strategies by datasets, as Markdown."""
    lines = []
    for size, cell in apart.groupby("size"):
        table = cell.pivot(index="strategy", columns="dataset", values="difference") * 100
        order = [d for d in dict.fromkeys(rows.dataset) if d in table]
        table = table[order]
        table["median"] = table.median(axis=1)
        table = table.sort_values("median", ascending=False)
        lines += [f"{size} images, {cell.repetitions.max()} repetitions", ""]
        lines += ["| strategy | " + " | ".join(table.columns) + " |"]
        lines += ["|---" * (1 + len(table.columns)) + "|"]
        for strategy, line in table.iterrows():
            cells = " | ".join("" if np.isnan(x) else f"{x:+.1f}" for x in line)
            lines.append(f"| {strategy} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def summary_text(lines: pd.DataFrame) -> str:
    """The summary in points of BACC, as Markdown."""
    out = [
        "| strategy | median | mean | datasets where it is better | surely better | surely worse |",
        "|---|---|---|---|---|---|",
    ]
    for row in lines.itertuples():
        name = row.strategy.removesuffix(UNKNOWN)
        out.append(
            f"| {name} | {100 * row.median:+.1f} | {100 * row.mean:+.1f} | "
            f"{row.positive} of {row.datasets} | {row.above} | {row.below} |"
        )
    return "\n".join(out) + "\n"


def against_text(table: pd.DataFrame) -> str:
    """Herding beside the best of the others, in points of BACC, as Markdown."""
    out = ["| dataset | herding | best of the others | |", "|---|---|---|---|"]
    for row in table.itertuples():
        own = f"{100 * row.difference:+.1f} ({100 * row.low:+.1f} to {100 * row.high:+.1f})"
        out.append(f"| {row.dataset} | {own} | {100 * row.its:+.1f} | {row.best} |")
    return "\n".join(out) + "\n"


def worth_text(table: pd.DataFrame) -> str:
    """How many random images match those chosen by herding, as Markdown."""
    table = table[table.strategy == AUTO].pivot(index="dataset", columns="size", values="ratio")
    sizes = [c for c in table.columns if table[c].notna().any()]
    out = ["| dataset | " + " | ".join(f"{c} chosen" for c in sizes) + " |"]
    out.append("|---" * (1 + len(sizes)) + "|")
    for name, row in table[sizes].iterrows():
        cells = ("" if np.isnan(x) else "more" if np.isinf(x) else f"{x:.1f}" for x in row)
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"
