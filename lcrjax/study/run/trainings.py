"""Training on blocks of subsets outside a study, such as those of an experiment on selection."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.study.run.machines import MachineError, machine
from lcrjax.study.run.parts import Train
from lcrjax.study.run.plan import Block
from lcrjax.study.run.provenance import differences
from lcrjax.study.run.ray_blocks import connected
from lcrjax.training import Progress, TrainingConfig, train_subsets


def train_blocks(
    datasets: Mapping[str, Dataset],
    blocks: Iterable[Block],
    config: TrainingConfig,
    *,
    train: Train = train_subsets,
    ray: str | None = None,
) -> Iterator[tuple[Block, pd.DataFrame]]:
    """Train on the subsets of blocks where a study would; what is finished is the caller's to keep.

    Args:
        datasets: Those of the blocks, by name.
        blocks: Taken one by one while others are computed: a generator may choose their subsets.
        config: The recipe.
        train: Trains on a block's subsets, see `run_study`.
        ray: Address of a Ray cluster, see `run_study`; None for this process.

    Yields:
        Each block when it is finished, on a cluster not in order, and one row per subset: what is
        known by the block's design, and what `train` returns.

    Raises:
        ValueError: If Ray is not installed or does not answer.
        MachineError: If a cluster's machines are of several kinds, or are lost again and again.
        Exception: What `train` raises.
    """
    with connected(ray, datasets) as there:
        kind = there.ask(machine)
        work = functools.partial(_trained, config, train)
        for block, on, rows in there.compute(blocks, work, [kind], _Nobody()):
            if rows is None:
                raise MachineError(
                    "the cluster has machines of several kinds, which round differently: take some "
                    "of one kind (one -> another)\n  " + "\n  ".join(differences(kind, on))
                )
            yield block, rows


def _trained(
    config: TrainingConfig,
    train: Train,
    block: Block,
    dataset: Dataset,
    tell: Callable[..., None],
) -> pd.DataFrame:
    show = functools.partial(tell, "training", block)
    rows = train(dataset, block.subsets, block.seeds, config, progress=show)
    return pd.concat([pd.DataFrame(block.design), rows.reset_index(drop=True)], axis=1)


class _Nobody:
    """Nobody who listens."""

    def note(self, block: Block, training: Progress) -> None:
        pass

    def tell(self, stage: str, block: Block, training: Progress | None = None) -> None:
        pass
