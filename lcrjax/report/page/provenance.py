"""Where a study's numbers come from: its datasets, and the models that failed or stopped early."""

from typing import Any

import pandas as pd


def datasets_studied(
    table: pd.DataFrame, described: dict[str, Any], about: dict[str, Any]
) -> list[dict[str, Any]]:
    """List the datasets of a study, with what they came to.

    Args:
        table: The study's.
        described: What its folder says of each dataset, by name.
        about: Sources and licences, by name.
    """
    listed = []
    for name, facts in sorted(described.items()):
        mine = table[table["dataset"] == name]
        largest = mine[mine["n"] == mine["n"].max()]
        listed.append(
            {
                "name": name,
                **facts,
                "rows": len(mine),
                "best": float(mine["bacc"].max()),
                "median": float(largest["bacc"].median()),
                "epochs": float(mine["epochs"].median()),
                "about": about.get(name, {}),
            }
        )
    return listed


def failed(table: pd.DataFrame) -> list[dict[str, Any]]:
    """List the subsets that could not be trained, by dataset, size and reason."""
    parts: Any = table[table["failure"].notna()].groupby(["dataset", "n", "failure"])
    return [
        {
            "dataset": dataset,
            "n": int(n),
            "reason": reason,
            "subsets": ", ".join(map(str, part["subset"])),
        }
        for (dataset, n, reason), part in parts
    ]


def unfinished(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the models that stopped before they had learned their subset, by dataset and size."""
    rows = table[table["failure"].isna() & ~table["converged"].astype(bool)]
    parts: Any = rows.groupby(["dataset", "n"])
    return [
        {
            "dataset": dataset,
            "n": int(n),
            "count": len(part),
            "epochs": int(part["epochs"].max()),
            "accuracy": float(part["train_accuracy"].min()),
        }
        for (dataset, n), part in parts
    ]
