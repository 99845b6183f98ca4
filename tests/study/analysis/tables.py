import numpy as np
import pandas as pd

from lcrjax.study.columns import FEATURES, PARAMETERS


def correlated(rows=160, datasets=5, seed=0, features=FEATURES):
    """A study's table whose features come of a few causes; A_0 and A_1 are nearly the same."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, 6))
    logs = 0.3 * causes @ rng.normal(size=(6, len(features)))
    logs += 0.05 * rng.normal(size=logs.shape)
    table = pd.DataFrame(np.exp(logs), columns=list(features))
    if {"A_0", "A_1"} <= set(features):
        table["A_1"] = table["A_0"] * np.exp(1e-2 * rng.normal(size=rows))
    dataset = np.arange(rows) % datasets
    table.insert(0, "dataset", [f"dataset {i}" for i in dataset])
    table["size"] = table["n"] = rng.choice([64, 128, 256], rows)
    parameters = [rng.choice(np.arange(2, 40), datasets, replace=False) for _ in PARAMETERS]
    for name, values in zip(PARAMETERS, parameters, strict=True):
        table[name] = values[dataset]
    score = 0.6 + 0.04 * causes[:, :3].sum(axis=1) + 0.02 * dataset
    for target in ("acc", "bacc", "auc"):
        table[target] = np.clip(score + 0.05 * rng.normal(size=rows), 0.01, 1)
    return table
