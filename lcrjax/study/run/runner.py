"""A study's run from datasets to table: every subset measured and trained on, resumably."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.similarity.spec import check_similarity, parse_similarity
from lcrjax.study.columns import columns_of
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.measuring.addition import measure_finished
from lcrjax.study.run.failures import train_in_parts
from lcrjax.study.run.parts import (
    BlockSize,
    Measure,
    Train,
    measure_subsets,
    name_of,
    usual_block_size,
)
from lcrjax.study.run.plan import Block, plan_study
from lcrjax.study.run.progress import StudyCallback, StudyProgress
from lcrjax.study.run.provenance import describe
from lcrjax.study.run.store import check_folder, open_store, read_results
from lcrjax.training import Progress, train_subsets


def run_study(
    datasets: Sequence[Dataset],
    out: str | Path,
    config: StudyConfig | None = None,
    *,
    measure: Measure = measure_subsets,
    train: Train = train_subsets,
    block_size: BlockSize = usual_block_size,
    progress: StudyCallback | None = None,
) -> pd.DataFrame:
    """Measure and train every subset of a study, or go on where an earlier run of it stopped.

    The folder receives `config.json` (everything that decides the result), `rows/*.parquet` (one
    file per block of subsets trained together) and at the end `results.parquet`. Each file is
    written whole or not at all. A block that is finished is never trained again, and what is
    trained never depends on where an earlier run stopped: on one machine, however often a study
    was killed, its table has the same bits (all but the column `seconds`, which is wall time; see
    `lcrjax.study.same_results`). What `config.measures` adds lies in `measures.parquet` and may be
    asked for later: of the same study, more is measured and nothing is trained again.

    A subset that cannot be trained (its loss becomes NaN, or memory does not suffice even for it
    alone) is recorded with its reason in the column `failure` and does not end the study.

    Args:
        datasets: At least one, under different names; their order does not matter. Elements that
            are no images need another `train`.
        out: The study's folder: new, empty, or that of the same study.
        config: Sizes, class-balance bins, similarity, seed and recipe; None means the defaults.
        measure: `measure(dataset, subsets, similarity)` returns the 27 features of subsets, one row
            each, as `lcrjax.study.features` does.
        train: `train(dataset, subsets, seeds, config, progress=...)` trains a model on each subset
            and returns its scores, one row each, as `lcrjax.training.train_subsets` does; such as
            `functools.partial(train_subsets, network=...)`. What stands in the place of lcrjax's
            own is named in `config.json` and must be the same when the study goes on.
        block_size: `block_size(dataset, n, config.training)` says how many subsets of n images
            `train` is given in one call; see `lcrjax.training.block_size`.
        progress: Called often with a `StudyProgress`. An exception that it raises ends the run
            as an interrupt does, with everything finished kept.

    Returns:
        The table: one row per subset, in order of dataset name, size and subset, with the columns
        `lcrjax.study.columns.COLUMNS`; where diversity varies, those of `DESIGN` there, and with
        `config.training.beyond` those of `LATER`; and those that were added.

    Raises:
        ValueError: If sizes are impossible for a dataset, two datasets share a name, the
            similarity is one of another kind of elements, or these cannot be trained on, or the
            folder holds something else or a study that differs (the differences are listed).
        FolderInUseError: If another process is at work in the folder.
        OSError: If the disk is full or not writable; finished blocks are safe.
    """
    config = config or StudyConfig()
    tell = progress or (lambda _: None)
    for dataset in datasets:
        if dataset.kind != "images" and getattr(train, "func", train) is train_subsets:
            raise ValueError(
                f"{dataset.name} holds {dataset.kind}, and the networks of lcrjax are trained on "
                "images: give run_study another train=, or measure and report without training"
            )
        for word in (config.similarity, *config.measures):
            check_similarity(word, dataset.kind)
    check_folder(out)
    tell(StudyProgress("designing", ", ".join(sorted(d.name for d in datasets))))
    blocks = plan_study(datasets, config, block_size)
    lengths: dict[str, dict[str, list[int]]] = {}
    for block in blocks:
        of_size = lengths.setdefault(block.dataset, {}).setdefault(str(block.n), [])
        of_size.append(len(block.seeds))
    columns = columns_of(config.to_dict())
    parts = (("measure", measure, measure_subsets), ("train", train, train_subsets))
    replaced = {word: name_of(part) for word, part, own in parts if part is not own}
    settings = {k: v for k, v in config.to_dict().items() if k != "measures"}
    description = describe(datasets, **settings, blocks=lengths, **replaced)

    named = {d.name: d for d in datasets}
    similarities = {d.name: parse_similarity(config.similarity, d.train.elements) for d in datasets}
    tally, finished = _Tally(named, blocks, tell), {}
    with open_store(out, description) as store:
        # Finished blocks are read first, so that the share done rests on all that is known.
        for i, block in enumerate(blocks):
            rows = store.read(block)
            if rows is not None:
                finished[i] = rows
                tally.finish("found", block)
        # Small subsets of all datasets come first: an unfinished study already compares datasets.
        for i in sorted(set(range(len(blocks))) - set(finished), key=lambda i: (blocks[i].n, i)):
            block, dataset = blocks[i], named[blocks[i].dataset]
            tally.tell("features", block)
            measured = measure(dataset, block.subsets, similarities[dataset.name])
            tally.tell("training", block)
            show = functools.partial(tally.tell, "training", block)
            trained = train_in_parts(
                dataset, block.subsets, block.seeds, config.training, train, show
            )
            known = {c.name: c.known(block, dataset) for c in columns if c.known is not None}
            found = [part.reset_index(drop=True) for part in (measured, trained)]
            finished[i] = store.write(block, pd.concat([pd.DataFrame(known), *found], axis=1))
            tally.finish("written", block)
        store.finish([finished[i] for i in range(len(blocks))])
        if config.measures:
            ordered = [named[name] for name in sorted(named)]
            decides = store.description["decides"]
            measure_finished(store.folder, decides, ordered, config.measures, tally.measuring)
        return read_results(store.folder)


class _Tally:
    """Count of what is done, as the caller is told."""

    def __init__(
        self, datasets: Mapping[str, Dataset], blocks: Sequence[Block], callback: StudyCallback
    ):
        self._datasets = datasets
        self._callback = callback
        self._counts = Counter((b.dataset, b.n) for b in blocks)
        self._total = sum(len(b.seeds) for b in blocks)
        self._rows = 0
        self._pixels = sum(map(self._pixels_of, blocks))
        self._pixels_done = 0

    def _pixels_of(self, block: Block) -> int:
        dataset = self._datasets[block.dataset]
        return block.subsets.size * dataset.n_pixels * dataset.n_channels

    def finish(self, stage: str, block: Block) -> None:
        self._rows += len(block.seeds)
        self._pixels_done += self._pixels_of(block)
        self.tell(stage, block)

    def measuring(self, dataset: str, _: float) -> None:
        total = self._total
        self._callback(StudyProgress("measuring", dataset, rows=total, total=total, share=1.0))

    def tell(self, stage: str, block: Block, training: Progress | None = None) -> None:
        trained = training.finished / training.total if training else 0.0
        self._callback(
            StudyProgress(
                stage=stage,
                dataset=block.dataset,
                n=block.n,
                block=block.index,
                blocks=self._counts[block.dataset, block.n],
                rows=self._rows,
                total=self._total,
                training=training,
                share=(self._pixels_done + trained * self._pixels_of(block)) / self._pixels,
            )
        )
