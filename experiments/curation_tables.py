"""Tables of the curation experiment, from its rows: differences with intervals, and worth."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from experiments.curation_figure import curation_figure

AUTO = "herding"
_LEVEL = 0.95


def write(folder: Path) -> None:
    """Write differences.csv, worth.csv, table.md and curation.png beside rows.csv."""
    rows = pd.read_csv(folder / "rows.csv")
    apart = pd.concat([differences(rows, "random"), differences(rows, "random, labels unknown")])
    apart.to_csv(folder / "differences.csv", index=False, float_format="%.5f")
    worth(rows).to_csv(folder / "worth.csv", index=False, float_format="%.2f")
    by_dataset(apart).to_csv(folder / "datasets.csv", index=False, float_format="%.5f")
    summary(apart).to_csv(folder / "summary.csv", index=False, float_format="%.5f")
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
    unknown = against.endswith("labels unknown")
    rows = rows[rows.strategy.str.endswith("labels unknown") == unknown]
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


def worth(rows: pd.DataFrame) -> pd.DataFrame:
    """How many random images reach the mean BACC of n chosen ones, by interpolation in log n.

    Returns:
        dataset, size, strategy, random_images (infinite where more than were tried), ratio.
    """
    out = []
    for unknown in (False, True):
        kind = rows[rows.strategy.str.endswith("labels unknown") == unknown]
        for name, cell in kind.groupby("dataset", sort=False):
            means = cell.groupby(["strategy", "size"]).bacc.mean()
            against = "random" + ", labels unknown" * unknown
            if against not in means:
                continue
            curve = means[against].sort_index()
            best = np.maximum.accumulate(curve.to_numpy())
            for (strategy, size), bacc in means.drop(against).items():
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
