"""Plan of a study: which subsets are measured and trained together, in which order."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from lcrjax.data import Dataset
from lcrjax.study.design.balance import check_sizes, design_subsets, training_seeds
from lcrjax.study.design.config import StudyConfig
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
    """

    dataset: str
    n: int
    index: int
    first: int
    subsets: Int[ndarray, "k n"]
    seeds: Int[ndarray, " k"]


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
    sizes = config.sizes
    if config.skip_impossible:
        images = len(dataset.train_labels)
        sizes = tuple(n for n in sizes if dataset.n_classes <= n <= images) or sizes
    check_sizes(dataset.train_labels, sizes, name=dataset.name)
    return sizes


def _blocks(dataset: Dataset, n: int, config: StudyConfig, block_size: BlockSize) -> list[Block]:
    subsets = design_subsets(
        dataset.train_labels,
        [n],
        bins=config.bins,
        per_bin=config.subsets_per_bin(n),
        candidates=config.candidates,
        seed=config.seed,
        name=dataset.name,
    )[n]
    most = config.most_at.get(n, len(subsets))
    if most < len(subsets):  # the first and the last stay
        subsets = subsets[np.linspace(0, len(subsets) - 1, most).round().astype(np.int64)]
    seeds = training_seeds(config.seed, dataset.name, n, len(subsets))
    length = block_size(dataset, n, config.training)
    cuts = (slice(first, first + length) for first in range(0, len(subsets), length))
    return [
        Block(dataset.name, n, i, cut.start, subsets[cut], seeds[cut]) for i, cut in enumerate(cuts)
    ]
