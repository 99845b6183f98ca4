"""Times of the page on reproducing, summed over what each model took."""

from collections.abc import Iterator

import pandas as pd

from experiments import ceiling, curation, panel, recipe, reference


def reproducing() -> Iterator[str]:
    times = {
        "the replication panel": pd.read_parquet(panel.RESULTS / "results.parquet"),
        "the reference models there": pd.read_csv(reference.RESULTS / "results.csv"),
        "curation": pd.read_csv(curation.RESULTS / "rows.csv"),
        "the same: the ceiling": pd.read_csv(ceiling.RESULTS / "rows.csv"),
        "the recipe": pd.read_csv(recipe.RESULTS / "rows.csv"),
    }
    for name, rows in times.items():
        yield f"{name}…|…|…| {rows['seconds'].sum() / 3600:.1f} hours |"
