"""A finished study's datasets and subsets, designed anew from its configuration."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lcrjax.data import Dataset, load
from lcrjax.measures.hill import hill_number
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.run.plan import plan_study

_CLOSE = 1e-6  # of a class balance


def load_datasets(decides: Mapping[str, Any], data: str | Path | None = None) -> list[Dataset]:
    """Load the datasets of a study by their names: files of a folder, or those that have a name.

    Args:
        decides: Of the study's `config.json`.
        data: Folder of files or folders called as the datasets are; None for where the process is.

    Raises:
        ValueError: If one cannot be found, or is another than was studied.
    """
    folder = Path("." if data is None else data)
    found = []
    for name in decides["datasets"]:
        beside = sorted(path for path in folder.glob("*") if name in (path.name, path.stem))
        try:
            found.append(load(beside[0] if beside else name))
        except (ValueError, OSError) as error:
            raise ValueError(
                f"the study's dataset {name!r} is not in {folder} ({error}): name the folder of its"
                " file, or give the dataset itself to lcrjax.study.add_measures"
            ) from None
    return check_datasets(decides, found)


def check_datasets(decides: Mapping[str, Any], datasets: Sequence[Dataset]) -> list[Dataset]:
    """Return a study's datasets in the order of their names.

    Raises:
        ValueError: If one is missing, unknown to the study, or of other contents.
    """
    wanted, given = decides["datasets"], {d.name: d for d in datasets}
    if set(wanted) != set(given):
        raise ValueError(
            f"the study has the datasets {', '.join(sorted(wanted))}: "
            f"give these, not {', '.join(sorted(given)) or 'none'}"
        )
    for name, dataset in given.items():
        if dataset.content_hash() != wanted[name]["content_hash"]:
            raise ValueError(f"{name!r} is not what was studied under that name: give that one")
    return [given[name] for name in sorted(given)]


def designed_subsets(
    decides: Mapping[str, Any], datasets: Sequence[Dataset], results: pd.DataFrame
) -> Iterator[tuple[Dataset, pd.DataFrame, list[Int[np.ndarray, " _"]]]]:
    """Design a study's subsets again, bit for bit, and hold them against its table.

    Args:
        decides: Of the study's `config.json`.
        datasets: As `check_datasets` returns them.
        results: The study's table.

    Yields:
        For each dataset itself, its rows of the table, and the training images of each row.

    Raises:
        ValueError: If the table has other subsets than the configuration designs here.
    """
    known = {field.name for field in dataclasses.fields(StudyConfig)}
    config = StudyConfig.from_dict({k: v for k, v in decides.items() if k in known})
    blocks = plan_study(datasets, config, lambda dataset, n, training: 2**30)
    for dataset in datasets:
        own = [block for block in blocks if block.dataset == dataset.name]
        subsets = [subset for block in own for subset in block.subsets]
        rows = results[results["dataset"] == dataset.name]
        seeds = [seed for block in own for seed in block.seeds]
        same = list(rows["seed"]) == seeds
        if "checksum" in rows:
            sums = [int(x) for block in own for x in block.design["checksum"]]
            same = same and list(rows["checksum"]) == sums
        if not same or not np.allclose(rows["CB_1"], _balances(dataset, subsets), rtol=_CLOSE):
            raise ValueError(
                f"the study has other subsets of {dataset.name} than are designed here: "
                "measure it with the version of lcrjax (and NumPy) that made it"
            )
        yield dataset, rows, subsets


def _balances(dataset: Dataset, subsets: Sequence[np.ndarray]) -> list[float]:
    """Effective number of classes of each subset."""
    labels = np.asarray(dataset.train_labels)
    return [float(hill_number(np.bincount(labels[s]).astype(float), 1)) for s in subsets]
