"""Which measures name the better of two subsets of one dataset, size and class balance."""

from collections.abc import Mapping

import pandas as pd

from lcrjax.study.analysis import pairwise_concordance

#: Of each subset, where they were measured. The study's own similarity is `rmsd:10`.
MEASURES = (
    "A_0",
    "A_1",
    "G_1",
    "R_1",
    *(
        f"{name}[{word}]"
        for word in ("rmsd:1", "rmsd:10", "laplacian:0.5median")
        for name in (
            "A_1",
            "vendi_2",
            "magnitude",
            "own_signal",
            "signal_to_noise",
            "facility_location",
            "own_facility_location",
            "nn_bacc",
            "kernel_bacc",
        )
    ),
)
#: Where less is better: one over them is compared.
DISTANCES = tuple(f"mmd[{word}]" for word in ("rmsd:1", "rmsd:10", "laplacian:0.5median"))


def named_better(table: pd.DataFrame, target: str, resamples: int = 2_000) -> pd.DataFrame:
    """How often each measure names the better of two subsets, of a design that varies diversity.

    Args:
        table: One row per model.
        target: Column of scores; rows without one are left out.
        resamples: Those of a bootstrap, over subsets and over datasets.

    Returns:
        What `pairwise_concordance` does, for each measure that the table has.
    """
    table = table[table[target].notna()]
    inverse = {f"1 / {name}": 1 / table[name] for name in DISTANCES if name in table}
    table = table.assign(**inverse)
    present = [name for name in MEASURES if name in table]
    return pairwise_concordance(table, [*present, *inverse], target, resamples=resamples)


def in_words(found: Mapping[str, pd.DataFrame], rules: Mapping[str, str]) -> pd.DataFrame:
    """The measures under each rule by which models are stopped, best first under the first.

    Args:
        found: What `named_better` returns, by target.
        rules: What tables call each target.
    """
    columns = []
    for target, each in found.items():
        rows = each.set_index("feature")
        said = [
            f"{row['concordance']:.3f} ({row['lower_datasets']:.3f} to {row['upper_datasets']:.3f})"
            for row in rows.to_dict("records")
        ]
        columns.append(pd.Series(said, rows.index, name=rules[target]))
    order = next(iter(found.values()))["feature"]
    return pd.concat(columns, axis=1).loc[order].rename_axis("measure").reset_index()
