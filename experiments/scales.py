"""Scales of the similarity exp(-s RMSD), chosen from data alone, and what A_0 gains by them.

Run `python -m experiments.measures`, of which this is the last part. Three rules know images and
labels but no scores: s in units of the median distance of two training images, or of the median
distance to the nearest one (the unit's factor is chosen on six datasets, and judged on the
seventh); and s by the leave-one-out likelihood of the images' classes under the kernel.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from experiments.measures_tables import TARGET, write_table
from lcrjax.data import Dataset
from lcrjax.pairwise.host_rows import host_blocks
from lcrjax.similarity import RMSD
from lcrjax.study import features, read_results
from lcrjax.study.analysis.fixed_effects import centre
from lcrjax.study.measuring.finished import designed_subsets, load_datasets
from lcrjax.study.run.folder import read_description

#: Scales at which A_0 is measured; between them its log is interpolated.
GRID = 2.0 ** np.arange(-2, 8.5, 0.5)
#: Factors of a unit, and scales, that are tried.
STEPS = 2.0 ** np.arange(-6, 8.01, 0.25)
_SAMPLE = 1500


def units(dataset: Dataset) -> dict[str, Any]:
    """Median distance, median distance to the nearest, and the likelihood's choice of a scale."""
    labels = np.asarray(dataset.train_labels)
    chosen = np.sort(np.random.default_rng(0).permutation(len(labels))[:_SAMPLE])
    similarity, images, _ = RMSD().canonical(dataset.train.elements[chosen], None)
    (block,) = host_blocks([similarity], [images])
    distance = -np.log(block(slice(None), slice(None)))
    np.fill_diagonal(distance, np.inf)
    same = labels[chosen][:, None] == labels[chosen]
    pairs = distance[np.triu_indices(len(chosen), 1)]
    likelihood = [_log_likelihood(distance, same, s) for s in STEPS]
    return {
        "median": float(np.median(pairs)),
        "nearest": float(np.median(distance.min(axis=1))),
        "likelihood": float(STEPS[int(np.argmax(likelihood))]),
    }


def _log_likelihood(distance: np.ndarray, same: np.ndarray, scale: float) -> float:
    """Mean log of the share that the own class has of an image's similarity to the others."""
    nearest = distance.min(axis=1, keepdims=True)
    z = np.exp(-scale * (distance - nearest))  # a factor for each image cancels
    own = (z * same).sum(axis=1)
    return float(np.mean(np.log(np.maximum(own / z.sum(axis=1), 1e-12))))


def diversities(panel: Path, data: Path) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Log of A_0 of the panel's subsets at every scale of the grid, and each dataset's units."""
    results = read_results(panel)
    decides = read_description(panel)["decides"]
    found = np.empty((len(results), len(GRID)))
    known = {}
    for dataset, rows, subsets in designed_subsets(decides, load_datasets(decides, data), results):
        known[dataset.name] = units(dataset)
        sizes = rows["n"].to_numpy()
        for n in np.unique(sizes):
            (places,) = np.nonzero(sizes == n)
            some = np.stack([subsets[i] for i in places])
            images, labels = dataset.train.elements, dataset.train_labels
            for k, scale in enumerate(GRID):
                table = features(images, labels, some, similarity=RMSD(float(scale)))
                found[rows.index[places], k] = np.log(table["A_0"])
    table = pd.DataFrame(found, columns=GRID)
    return pd.concat([results[["dataset", TARGET]], table], axis=1), known


def at_scales(table: pd.DataFrame, scales: dict[str, float]) -> Float[np.ndarray, " n"]:
    """Log of A_0 with each dataset's own scale."""
    out = np.empty(len(table))
    for name, rows in table.groupby("dataset").groups.items():
        at = np.clip(np.log(scales[str(name)]), np.log(GRID[0]), np.log(GRID[-1]))
        logs = table.loc[rows, list(GRID)].to_numpy(float)
        out[rows] = [np.interp(at, np.log(GRID), row) for row in logs]
    return out


def explained(table: pd.DataFrame, x: np.ndarray, rows: np.ndarray) -> float:
    """R² within datasets of some rows."""
    groups = table["dataset"].to_numpy()[rows]
    a, b = centre(x[rows], groups), centre(table[TARGET].to_numpy(float)[rows], groups)
    return float((a @ b) ** 2 / (a @ a) / (b @ b))


def scale_rules(table: pd.DataFrame, known: dict[str, dict[str, float]]) -> pd.DataFrame:
    """R² of A_0 in each dataset by each rule, whose factor the other datasets chose."""
    datasets, names = table["dataset"].to_numpy(), sorted(known)
    by_rule = {
        "one scale for all": [dict.fromkeys(names, float(s)) for s in STEPS],
        "median distance": [{d: float(s) / known[d]["median"] for d in names} for s in STEPS],
        "nearest distance": [{d: float(s) / known[d]["nearest"] for d in names} for s in STEPS],
        "likelihood": [{d: known[d]["likelihood"] for d in names}],
        "scale 1": [dict.fromkeys(names, 1.0)],
        "scale 10": [dict.fromkeys(names, 10.0)],
    }
    rows = []
    for rule, choices in by_rule.items():
        logs = [at_scales(table, scales) for scales in choices]
        every = np.ones(len(table), bool)
        of_all = [explained(table, x, every) for x in logs]
        best = int(np.argmax(of_all))
        row: dict[str, Any] = {"rule": rule, "factor": STEPS[best] if len(logs) > 1 else np.nan}
        row["within, chosen on all"] = of_all[best]
        for name in names:
            mine = datasets == name
            k = int(np.argmax([explained(table, x, ~mine) for x in logs]))
            row[name] = explained(table, logs[k], mine)
            row[f"scale of {name}"] = choices[k][name]
        row["mean, chosen on the others"] = float(np.mean([row[name] for name in names]))
        rows.append(row)
    found = pd.DataFrame(rows)
    one = found.loc[found["rule"] == "scale 1", names].to_numpy()[0]
    gains = found[names].to_numpy() - one
    found["gain over scale 1"] = gains.mean(axis=1)
    found["datasets that gain"] = (gains > 0).sum(axis=1)
    return found.sort_values("mean, chosen on the others", ascending=False, ignore_index=True)


def curve(table: pd.DataFrame) -> pd.DataFrame:
    """R² of A_0 at every scale of the grid, within all datasets and in each."""
    datasets = table["dataset"].to_numpy()
    rows = []
    for scale in GRID:
        x = table[scale].to_numpy(float)
        row = {"scale": scale, "within": explained(table, x, np.ones(len(x), bool))}
        rows.append(row | {d: explained(table, x, datasets == d) for d in np.unique(datasets)})
    return pd.DataFrame(rows)


def measure_scales(panel: Path, data: Path, out: Path) -> None:
    """Measure, and write the tables."""
    table, known = diversities(panel, data)
    write_table(curve(table), out, "scales")
    write_table(scale_rules(table, known), out, "scale-rules")
    write_table(pd.DataFrame(known).T.rename_axis("dataset").reset_index(), out, "scale-units")
