"""Provenance of a study's numbers: its datasets, and the models that failed or stopped early."""

from typing import Any

import pandas as pd


def datasets_studied(
    table: pd.DataFrame, described: dict[str, Any], about: dict[str, Any]
) -> list[dict[str, Any]]:
    """List the datasets that a study's folder describes, by name, with what they came to."""
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
    rows: Any = table[table["failure"].notna()].rename(columns={"failure": "reason"})
    parts = rows.groupby(["dataset", "n", "reason"], as_index=False)
    return parts.agg(subsets=("subset", lambda s: ", ".join(map(str, s)))).to_dict("records")


def unfinished(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the models that stopped before they had learned their subset, by dataset and size."""
    rows: Any = table[table["failure"].isna() & ~table["converged"].astype(bool)]
    counted = rows.groupby(["dataset", "n"], as_index=False).agg(
        count=("subset", "size"), epochs=("epochs", "max"), accuracy=("train_accuracy", "min")
    )
    return counted.to_dict("records")
