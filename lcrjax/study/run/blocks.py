"""Blocks of subsets and their rows, computed in this process one after the other."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.similarity import Similarity
from lcrjax.study.columns import columns_of
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.run.failures import train_in_parts
from lcrjax.study.run.machines import machine
from lcrjax.study.run.parts import Measure, Train
from lcrjax.study.run.plan import Block
from lcrjax.study.run.tally import Listener

_T = TypeVar("_T")
#: From a block, its dataset and what is told the stage, the block and, while it is trained, the
#: training's progress, to the block's rows.
Work = Callable[[Block, Dataset, Callable[..., None]], pd.DataFrame]


class Recipe(NamedTuple):
    """What makes rows of the blocks of a study.

    Attributes:
        config: The study's.
        measure: Measures subsets, see `run_study`.
        train: Trains on them.
        similarities: What to measure each dataset with.
    """

    config: StudyConfig
    measure: Measure
    train: Train
    similarities: Mapping[str, Similarity]


def rows_of(
    recipe: Recipe, block: Block, dataset: Dataset, tell: Callable[..., None]
) -> pd.DataFrame:
    """Measure the subsets of a block and train on them; given a recipe, it is a `Work`.

    Returns:
        One row per subset, with the columns of the study's table.
    """
    tell("features", block)
    measured = recipe.measure(dataset, block.subsets, recipe.similarities[dataset.name])
    tell("training", block)
    training, show = recipe.config.training, functools.partial(tell, "training", block)
    trained = train_in_parts(dataset, block.subsets, block.seeds, training, recipe.train, show)
    columns = columns_of(recipe.config.to_dict())
    known = {c.name: c.known(block, dataset) for c in columns if c.known is not None}
    found = [part.reset_index(drop=True) for part in (measured, trained)]
    return pd.concat([pd.DataFrame(known), *found], axis=1)


class ThisProcess:
    """This process as the place where blocks are computed.

    Args:
        datasets: Those of the blocks, by name.
    """

    def __init__(self, datasets: Mapping[str, Dataset]):
        self._datasets = datasets

    def ask(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function where blocks are computed."""
        return function(*arguments)

    def compute(
        self, blocks: Iterable[Block], work: Work, kinds: Any, tally: Listener
    ) -> Iterator[tuple[Block, dict[str, Any], pd.DataFrame | None]]:
        """Yield each block, the machine that computed it, and its rows."""
        del kinds  # this machine is one of them
        for block in blocks:
            yield block, machine(), work(block, self._datasets[block.dataset], tally.tell)
