"""Measures added to a finished study, in a file beside its table."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from lcrjax.data import Dataset
from lcrjax.similarity.spec import check_similarity
from lcrjax.study.measuring.finished import check_datasets, designed_subsets, load_datasets
from lcrjax.study.measuring.names import LABEL_MEASURES, MEASURES, column_of, similarity_words
from lcrjax.study.measuring.of_dataset import measure_subsets_with
from lcrjax.study.measuring.of_labels import label_measures
from lcrjax.study.run.folder import locked, read_description
from lcrjax.study.run.store import KEYS, RESULTS, read_added, read_results, write_added


def add_measures(
    folder: str | Path,
    similarities: Iterable[str],
    datasets: Sequence[Dataset] | None = None,
    *,
    data: str | Path | None = None,
    progress: Callable[[str, float], None] = lambda name, share: None,
) -> pd.DataFrame:
    """Measure the subsets of a finished study with more similarities, without training.

    The subsets are designed again from the study's configuration, and held against its table. With
    each similarity are measured the paper's 24 features that depend on one, and those of
    `lcrjax.study.measuring.names`: cross-diversity of other training images in the subset,
    representativeness, the Vendi score and magnitude, and how well the subset classifies other
    training images without any training. Columns are called as in `A_0[rmsd:10]`; one of the class
    counts alone, `class_signal`, has no similarity. They are kept in
    `measures.parquet`, written after each dataset; what it holds already is neither lost nor
    measured again. `read_results` joins it with the table.

    Args:
        folder: The study's folder.
        similarities: In one word each, such as "rmsd:10"; see `lcrjax.parse_similarity`.
        datasets: The study's; None to load them by their names.
        data: Folder of their files, where `datasets` is None.
        progress: Told what is being measured, and the share of that which is done.

    Returns:
        The study's table with all added columns.

    Raises:
        ValueError: If the study is not finished, a dataset is missing or another, a similarity
            cannot be read or is of other elements or a matrix, or the study's subsets cannot be
            designed again.
        FolderInUseError: If another process is at work in the folder.
        OSError: If the disk is full or not writable.

    References:
        Not in the paper.
    """
    folder = Path(folder)
    words = similarity_words(similarities)
    decides = read_description(folder)["decides"]
    if not (folder / RESULTS).exists():
        raise ValueError(f"the study in {folder} is not finished: let it run to its end")
    if not words:
        raise ValueError("no similarity was given: name one at least, such as rmsd:10")
    found = load_datasets(decides, data) if datasets is None else check_datasets(decides, datasets)
    for dataset in found:
        for word in words:
            check_similarity(word, dataset.kind)
    with locked(folder):
        progress("designing", 0.0)
        return measure_finished(folder, decides, found, words, progress)


def measure_finished(
    folder: Path,
    decides: Mapping[str, Any],
    datasets: Sequence[Dataset],
    words: Sequence[str],
    progress: Callable[[str, float], None],
) -> pd.DataFrame:
    """Do what `add_measures` does, in a finished study's folder that this process owns.

    Args:
        folder: The study's folder.
        decides: Of its `config.json`.
        datasets: The study's, in the order of their names.
        words: As `similarity_words` returns them, of the datasets' kind.
        progress: Told which dataset is measured, and the share of that which is done.

    Returns:
        The study's table with all added columns.
    """
    table = read_results(folder)
    added = read_added(folder)
    added = table[list(KEYS)].copy() if added is None else added
    for dataset, rows, subsets in designed_subsets(decides, datasets, table):
        mine = added["dataset"] == dataset.name
        lacking = [word for word in words if _lacks(added[mine], word)]
        parts = [rows[list(KEYS)].reset_index(drop=True)]
        if any(_is_new(added[mine], name) for name in LABEL_MEASURES):
            parts.append(_of_labels(dataset, subsets))
        if lacking:
            progress(dataset.name, 0.0)
            tell = functools.partial(progress, dataset.name)
            parts.append(measure_subsets_with(dataset, subsets, lacking, tell))
        if len(parts) > 1:
            added = _joined(added, pd.concat(parts, axis=1))
            write_added(folder, added)
    return read_results(folder)


def _lacks(rows: pd.DataFrame, word: str) -> bool:
    """Whether a dataset's rows lack a measure with a similarity."""
    columns = [column_of(name, word) for name in MEASURES]
    return any(name not in rows for name in columns) or _is_new(rows, columns[0])


def _is_new(rows: pd.DataFrame, column: str) -> bool:
    """Whether a column is absent, or empty in these rows."""
    return column not in rows or bool(rows[column].isna().all())


def _of_labels(dataset: Dataset, subsets: Sequence[Int[np.ndarray, " _"]]) -> pd.DataFrame:
    labels = np.asarray(dataset.train_labels).astype(np.int64)
    counts = [np.bincount(labels[subset], minlength=dataset.n_classes) for subset in subsets]
    return pd.DataFrame([label_measures(row) for row in counts])


def _joined(added: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put one dataset's new columns beside what there is."""
    index = list(KEYS)
    whole, part = added.set_index(index), new.set_index(index)
    # Where both have a number, the one that was there stays.
    return (
        whole.combine_first(part)[[*whole, *(c for c in part if c not in whole)]]
        .loc[whole.index]
        .reset_index()
    )
