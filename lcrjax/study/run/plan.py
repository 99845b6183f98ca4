"""Plan of a study: which subsets are measured and trained together, in which order."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from lcrjax.data import Dataset
from lcrjax.study.design.balance import (
    check_sizes,
    design_subsets,
    entropy,
    spread_compositions,
    training_seeds,
)
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.design.levels import design_levels, even_counts, room
from lcrjax.study.run.parts import BlockSize


@dataclasses.dataclass(frozen=True, eq=False)
class Block:
    """Subsets of one size of one dataset that are trained in one call, and written in one file.

    Attributes:
        dataset: Name of the dataset.
        n: Images of a subset.
        index: Number of the block among those of this dataset and size.
        first: Number of its first subset among those of this dataset and size.
        subsets: Indices into the dataset's training images.
        seeds: Training seed of each subset.
        design: What more is known of each, by column of the table: where it stands in a design that
            varies diversity, or in an experiment how it was chosen.
    """

    dataset: str
    n: int
    index: int
    first: int
    subsets: Int[ndarray, "k n"]
    seeds: Int[ndarray, " k"]
    design: Mapping[str, ndarray] = dataclasses.field(default_factory=dict)


def plan_study(
    datasets: Sequence[Dataset], config: StudyConfig, block_size: BlockSize
) -> list[Block]:
    """Design every subset of a study and cut them into blocks.

    The plan depends on the datasets' contents and names and on the configuration, never on the
    order in which datasets are given nor on the machine's load.

    Args:
        datasets: At least one; their names must differ.
        config: Sizes, bins, seed and recipe.
        block_size: How many subsets are trained in one call.

    Returns:
        Blocks in order of dataset name, size and number.

    Raises:
        ValueError: If two datasets share a name, or a size is impossible for a dataset. All
            are checked before the first is designed.
    """
    if not datasets:
        raise ValueError("no dataset was given: a study needs at least one")
    datasets = sorted(datasets, key=lambda d: d.name)
    for a, b in itertools.pairwise(datasets):
        if a.name == b.name:
            raise ValueError(
                f"two datasets are called {a.name!r}: give one of the files another name"
            )
    sizes = {d.name: possible_sizes(d, config) for d in datasets}
    blocks = []
    for dataset in datasets:
        for n in sizes[dataset.name]:
            blocks += _blocks(dataset, n, config, block_size)
    return blocks


def possible_sizes(dataset: Dataset, config: StudyConfig) -> tuple[int, ...]:
    """Return the study's sizes for a dataset, or raise a ValueError that says which would work."""
    sizes, most = config.sizes, len(dataset.train_labels)
    if config.vary != "balance":
        most = int(room(dataset.train_labels).sum())
    if config.skip_impossible:
        sizes = tuple(n for n in sizes if dataset.n_classes <= n <= most) or sizes
    check_sizes(dataset.train_labels, sizes, name=dataset.name)
    if large := [n for n in sizes if n > most]:
        raise ValueError(
            f"dataset {dataset.name!r} leaves too little to choose from for subsets of "
            f"{', '.join(map(str, large))} images that differ in diversity: choose sizes up to "
            f"{most}"
        )
    return sizes


def _blocks(dataset: Dataset, n: int, config: StudyConfig, block_size: BlockSize) -> list[Block]:
    subsets, design = _designed(dataset, n, config)
    seeds = training_seeds(config.seed, dataset.name, n, len(subsets))
    length = block_size(dataset, n, config.training)
    cuts = (slice(first, first + length) for first in range(0, len(subsets), length))
    return [
        Block(
            *(dataset.name, n, i, cut.start, subsets[cut], seeds[cut]),
            {column: values[cut] for column, values in design.items()},
        )
        for i, cut in enumerate(cuts)
    ]


def _designed(
    dataset: Dataset, n: int, config: StudyConfig
) -> tuple[Int[ndarray, "k n"], dict[str, ndarray]]:
    """Subsets of one size, and where each stands in a design that varies diversity."""
    labels, spread = dataset.train_labels, (config.bins, config.subsets_per_bin(n))
    origin: dict[str, Any] = {"seed": config.seed, "name": dataset.name}
    if config.vary == "balance":
        subsets = design_subsets(
            labels, [n], bins=spread[0], per_bin=spread[1], candidates=config.candidates, **origin
        )[n]
        return subsets[_kept(len(subsets), config.most_at.get(n))], {}
    most, repetitions = room(labels), config.subsets_per_bin(n)
    if config.vary == "diversity":
        compositions = [even_counts(n, most)]
    else:
        draw = np.random.default_rng(entropy(**origin, n=n, use=0))
        found = spread_compositions(n, most.tolist(), *spread, config.candidates, draw)
        compositions = [found[i] for i in _kept(len(found), config.most_at.get(n))]
        repetitions = 1
    design = design_levels(
        *(dataset.train.elements, labels, compositions),
        kind=dataset.kind,
        levels=config.levels,
        repetitions=repetitions,
        **origin,
    )
    columns = design._asdict()
    return columns.pop("subsets"), columns


def _kept(count: int, most: int | None) -> Int[ndarray, " k"]:
    """Which of so many are kept if there are to be at most `most`: the first and the last stay."""
    if most is None or count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(np.int64)
