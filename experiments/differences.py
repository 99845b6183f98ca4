"""Which of two subsets is better, predicted by datasets that neither is of, for every measure.

Run `python -m experiments.differences`. It needs the finished panel with its added measures, no
images and no training, takes some minutes, and writes experiments/results/differences and the
panel's predictor.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.differences_figure import differences_figure
from experiments.measures_tables import (
    COUNTS,
    MEDIAN,
    SHARES,
    TARGET,
    TRIPLES,
    with_counts,
    write_table,
)
from experiments.panel import RESULTS as PANEL
from lcrjax.study import fit_predictor, read_results, save_predictor
from lcrjax.study.analysis import (
    judge_differences,
    nested_selection,
    predict_differences,
    reliability,
)
from lcrjax.study.analysis.pairs import PairBootstrap
from lcrjax.study.columns import FEATURES
from lcrjax.study.measuring.names import candidates, column_of

RESULTS = Path(__file__).parent / "results" / "differences"
#: What the panel's predictor looks at: what two datasets tell of themselves.
PREDICTOR = ("class_signal", column_of("A_0", MEDIAN))
#: Models by name; what is shown on the page, and in the figure.
MODELS: dict[str, tuple[str, ...]] = {
    "size": ("size",),
    "CB_1": ("CB_1",),
    "A_0": ("A_0",),
    "A_1": ("A_1",),
    "A_0[half median]": (column_of("A_0", MEDIAN),),
    "nearest neighbour": ("nn_bacc[rmsd:1]",),
    "class counts": (COUNTS,),
    "own_signal[rmsd:30]": ("own_signal[rmsd:30]",),
    "size + CB_1": ("size", "CB_1"),
    "size + class shares": ("size", SHARES),
    "CB_1 + A_0[half median]": ("CB_1", column_of("A_0", MEDIAN)),
    "class_signal + A_0[half median]": PREDICTOR,
    "nearest neighbour + class counts": ("nn_bacc[rmsd:1]", COUNTS),
}
#: Choices by the other datasets: the number of features, and among which.
CHOICES = {"one of all": (1, None), "two of all": (2, None), "three": (3, TRIPLES),
           "two of the 27": (2, FEATURES)}  # fmt: skip
#: Whose Brier scores are set side by side.
COMPARED = (
    ("class_signal + A_0[half median]", "size"),
    ("class_signal + A_0[half median]", "CB_1"),
    ("class_signal + A_0[half median]", "size + CB_1"),
    ("class_signal + A_0[half median]", "class counts"),
    ("class counts", "CB_1"),
    ("own_signal[rmsd:30]", "class counts"),
    ("nearest neighbour + class counts", "class counts"),
    ("three, chosen", "CB_1"),
    ("three, chosen", "class_signal + A_0[half median]"),
)
CURVES = ("size", "CB_1", "class_signal + A_0[half median]", "three")


def judged(
    table: pd.DataFrame, models: Mapping[str, Sequence[str] | Mapping[str, Sequence[str]]]
) -> pd.DataFrame:
    """Judge models by name: pairs of any two sizes, then, in columns with `same_`, of one size."""
    rows = []
    for name, model in models.items():
        found = predict_differences(table, model, TARGET)
        row: dict[str, object] = {"model": name, **judge_differences(found)}
        row["calibration error"] = reliability(found, resamples=0).attrs["error"]
        same = judge_differences(found, same_size=True)
        rows.append(row | {f"same_{k}": x for k, x in same.items() if not k.startswith("r2")})
    return pd.DataFrame(rows)


def chosen_by_others(table: pd.DataFrame) -> dict[str, dict[str, tuple[str, ...]]]:
    """By choice and dataset, the features that the other datasets chose."""
    found = {}
    for name, (size, features) in CHOICES.items():
        pool = candidates(table) if features is None else features
        picked = nested_selection(table, pool, size, TARGET)
        found[name] = dict(zip(picked["dataset"], picked["features"], strict=True))
    return found


def brier_differences(table: pd.DataFrame, models: Mapping[str, Any]) -> pd.DataFrame:
    """How much lower the Brier score of one model is than another's, with intervals (95 %)."""
    found = {name: predict_differences(table, model, TARGET) for name, model in models.items()}
    rows = []
    for first, second in COMPARED:
        a, b = (found[name].squared_errors for name in (first, second))
        pairs = found[first].pairs
        lower = [y - x for x, y in zip(a, b, strict=True)]
        ends = PairBootstrap(pairs).intervals(lower)
        row = {"model": first, "than": second, "lower by": pairs.mean(lower)}
        for over in ("subsets", "datasets"):
            between = (ends[f"{end}_{over}"] for end in ("lower", "upper"))
            row[f"over {over}"] = "{:.3f} to {:.3f}".format(*between)
        rows.append(row)
    return pd.DataFrame(rows)


def write_csv(found: pd.DataFrame, path: Path) -> None:
    found.to_csv(path, index=False, float_format="%.6g")


def shown(found: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """The judgement as people read it: a number, and its two intervals."""
    rows = []
    kinds = ("brier", "concordance") if prefix else ("r2", "brier", "concordance")
    for row in found.to_dict("records"):
        line = {"model": row["model"]}
        for kind in kinds:
            kind = prefix + kind
            line[kind] = row[kind]
            for over in ("subsets", "datasets"):
                ends = (row[f"{kind}_{end}_{over}"] for end in ("lower", "upper"))
                line[f"{kind}, over {over}"] = "{:.3f} to {:.3f}".format(*ends)
        if not prefix:
            line["calibration error"] = row["calibration error"]
        rows.append(line)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panel", type=Path, default=PANEL)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = with_counts(read_results(options.panel))
    others = chosen_by_others(table)
    everything = MODELS | {f"{name}, chosen": model for name, model in others.items()}
    models = judged(table, everything)
    write_table(brier_differences(table, everything), options.out, "brier")
    write_csv(models, options.out / "models.csv")
    write_table(shown(models), options.out, "any-size")
    write_table(shown(models, "same_"), options.out, "one-size")
    curves = []
    for name in CURVES:
        found = predict_differences(table, MODELS.get(name) or others[name], TARGET)
        for same in (False, True):
            curve = reliability(found, same_size=same)
            curve.insert(0, "pairs of", "one size" if same else "any size")
            curve.insert(0, "model", name)
            curves.append(curve)
    reliabilities = pd.concat(curves, ignore_index=True)
    write_csv(reliabilities, options.out / "reliability.csv")
    every = {name: (name,) for name in (*candidates(table), COUNTS, SHARES)}
    singles = judged(table, every).sort_values("brier", ignore_index=True)
    write_csv(singles, options.out / "candidates.csv")
    save_predictor(fit_predictor(table, PREDICTOR, TARGET), options.panel)
    figure = differences_figure(singles, reliabilities)
    figure.savefig(options.out / "differences.png", dpi=150)


if __name__ == "__main__":
    main()
