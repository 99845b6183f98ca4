"""Tables of the second panel: the effect of diversity at one size and class balance.

Run `python -m experiments.panel2_tables`, which needs `pip install tabulate`; the panel does so
when it is done.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.measures_tables import write_table
from experiments.panel2_figure import diversity_figure, levels_figure
from experiments.panel2_measures import in_words, named_better
from lcrjax.study import read_results

RESULTS = Path(__file__).parent / "results" / "panel2"
#: Rules by which models are stopped, and what tables call them.
RULES = {
    "bacc": "at the criterion",
    "bacc_running": "criterion by running accuracy",
    "bacc_beyond": "30 epochs beyond",
}
_DIVERSITY = "A_1"
_LEVEL, _RESAMPLES, _SEED = 0.95, 4_000, 0


def share(rows: pd.DataFrame) -> np.ndarray:
    """From -1, all chosen to be redundant, to 1, all chosen to be diverse; 0 is random choice."""
    level = rows["level"].to_numpy(float)
    return 2 * level / level.max() - 1


class Effect(NamedTuple):
    """Something that a design tells of a dataset, by least squares with an intercept per size.

    Attributes:
        name: What tables call it.
        rows: Which rows tell it.
        columns: Of these, what the score is regressed on; the first one's coefficient is the
            effect.
    """

    name: str
    rows: Callable[[pd.DataFrame], np.ndarray]
    columns: Callable[[pd.DataFrame], list[np.ndarray]]


def _with(outliers: str) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda rows: (rows["outliers"] == outliers).to_numpy()


def _everything(rows: pd.DataFrame) -> np.ndarray:
    return np.ones(len(rows), bool)


def _doublings(rows: pd.DataFrame) -> list[np.ndarray]:
    return [np.log2(rows[_DIVERSITY].to_numpy(float))]


def _from_redundant(rows: pd.DataFrame) -> list[np.ndarray]:
    return [np.minimum(share(rows), 0), np.maximum(share(rows), 0)]


def _to_diverse(rows: pd.DataFrame) -> list[np.ndarray]:
    return _from_redundant(rows)[::-1]


EFFECTS: tuple[Effect, ...] = (
    *(
        Effect(f"{said}, outliers {outliers}", _with(outliers), columns)
        for outliers in ("avoided", "sought")
        for said, columns in (
            ("random instead of redundant", _from_redundant),
            ("diverse instead of random", _to_diverse),
            ("per doubling of A_1", _doublings),
        )
    ),
    Effect(
        "outliers sought instead of avoided, at one level",
        _everything,
        lambda rows: [_with("sought")(rows).astype(float), *_from_redundant(rows)],
    ),
)


def effects(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Estimate every effect in each dataset and over all, in points of the target (100 is all).

    Intervals (95 %) are of a bootstrap over the subsets of each size and treatment of outliers,
    and for the mean over datasets also of a cluster bootstrap over these.

    Args:
        table: One row per model of a design that varies diversity.
        target: Column of scores; rows without one are left out.

    Returns:
        One row per effect and dataset, then one for their mean: `effect`, `dataset`, `subsets`,
        `estimate`, `low`, `high`; of the mean also `low_datasets`, `high_datasets`, and in
        `positive` how many datasets have an estimate above 0.
    """
    table = table[table[target].notna()]
    out = []
    for effect in EFFECTS:
        draw = np.random.default_rng(_SEED)
        told, each = {}, []
        for name, rows in table.groupby("dataset", sort=True):
            rows = rows[effect.rows(rows)]
            told[name] = found = _coefficients(rows, effect, target, draw)
            each.append(_row(effect, str(name), len(rows), found))
        values = np.stack(list(told.values()))
        mean = _row(effect, "mean", sum(row["subsets"] for row in each), values.mean(axis=0))
        picked = draw.integers(0, len(values), (_RESAMPLES, len(values)))
        ends = _interval(values[:, 0][picked].mean(axis=1))
        mean |= dict(zip(("low_datasets", "high_datasets"), ends, strict=True))
        mean["positive"] = int((values[:, 0] > 0).sum())
        out += [*each, mean]
    return pd.DataFrame(out)


def _coefficients(
    rows: pd.DataFrame, effect: Effect, target: str, draw: np.random.Generator
) -> np.ndarray:
    """The effect in points on the rows themselves, and then on every resample."""
    size = np.unique(rows["n"], return_inverse=True)[1]
    X = np.column_stack([*effect.columns(rows), np.eye(size.max() + 1)[size]])
    y = 100 * rows[target].to_numpy(float)
    weights = np.ones((_RESAMPLES + 1, len(rows)))
    cell = rows.groupby(["n", "outliers"]).ngroup().to_numpy()
    for c in range(cell.max() + 1):
        (at,) = np.nonzero(cell == c)
        weights[1:, at] = draw.multinomial(len(at), np.full(len(at), 1 / len(at)), _RESAMPLES)
    gram = np.einsum("rn,ni,nj->rij", weights, X, X)
    moment = np.einsum("rn,ni,n->ri", weights, X, y)
    # A resample may hold one value of a column alone, and then tells nothing of it.
    return (np.linalg.pinv(gram, hermitian=True) @ moment[..., None])[:, 0, 0]


def _row(effect: Effect, dataset: str, subsets: int, found: np.ndarray) -> dict:
    low, high = _interval(found[1:])
    return {"effect": effect.name, "dataset": dataset, "subsets": subsets,
            "estimate": found[0], "low": low, "high": high}  # fmt: skip


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def side_by_side(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The mean over datasets of each effect under each rule, as text.

    Args:
        found: What `effects` returns, by target.
    """
    columns: dict[str, list[str]] = {"points of BACC": [effect.name for effect in EFFECTS]}
    for target, table in found.items():
        said = []
        for row in table[table["dataset"] == "mean"].to_dict("records"):
            count = table["dataset"].nunique() - 1
            said.append(
                f"{row['estimate']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f}; over datasets "
                f"{row['low_datasets']:+.1f} to {row['high_datasets']:+.1f}; "
                f"{row['positive']:.0f} of {count} above 0)"
            )
        columns[RULES[target]] = said
    return pd.DataFrame(columns)


def each_dataset(found: pd.DataFrame) -> pd.DataFrame:
    """The effects under one rule, a row per dataset, as text."""
    said = [
        f"{row['estimate']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
        for row in found.to_dict("records")
    ]
    wide = found.assign(said=said).pivot(index="dataset", columns="effect", values="said")
    names = [name for name in dict.fromkeys(found["dataset"]) if name in wide.index]
    return (
        wide.loc[names, [effect.name for effect in EFFECTS]].rename_axis(columns=None).reset_index()
    )


def levels(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the datasets at each size, treatment of outliers and level."""
    scores = [target for target in RULES if target in table]
    names = [*scores, _DIVERSITY, "epochs"]
    return table.groupby(["n", "outliers", "level"], as_index=False)[names].mean()


def write(folder: Path) -> None:
    """Write tables and figures beside the study's results."""
    table = read_results(folder)
    found = {target: effects(table, target) for target in RULES}
    write_table(side_by_side(found), folder, "effects")
    write_table(levels(table), folder, "levels")
    named = {target: named_better(table, target) for target in RULES}
    write_table(in_words(named, RULES), folder, "named-better")
    for target, each in named.items():
        each.to_csv(folder / f"named-better-{target}.csv", index=False, float_format="%.6g")
    for target, each in found.items():
        each.to_csv(folder / f"effects-{target}.csv", index=False, float_format="%.6g")
        write_table(each_dataset(each), folder, f"datasets-{target}")
        diversity_figure(table, target).savefig(folder / f"diversity-{target}.png", dpi=150)
        levels_figure(table, target).savefig(folder / f"levels-{target}.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
