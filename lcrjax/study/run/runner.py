"""A study's run from datasets to table: every subset measured and trained on, resumably."""

import functools
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lcrjax.data import Dataset
from lcrjax.similarity.spec import check_similarity, parse_similarity
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.measuring.addition import measure_finished
from lcrjax.study.run.blocks import Recipe, rows_of
from lcrjax.study.run.machines import machine
from lcrjax.study.run.parts import (
    BlockSize,
    Measure,
    Train,
    measure_subsets,
    name_of,
    usual_block_size,
)
from lcrjax.study.run.plan import plan_study
from lcrjax.study.run.progress import StudyCallback, StudyProgress
from lcrjax.study.run.provenance import describe
from lcrjax.study.run.ray_blocks import connected
from lcrjax.study.run.store import check_folder, machines_of, open_store, read_results
from lcrjax.study.run.tally import Tally
from lcrjax.training import train_subsets


def run_study(
    datasets: Sequence[Dataset],
    out: str | Path,
    config: StudyConfig | None = None,
    *,
    measure: Measure = measure_subsets,
    train: Train = train_subsets,
    block_size: BlockSize = usual_block_size,
    progress: StudyCallback | None = None,
    ray: str | None = None,
    allow_mixed: bool = False,
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
        ray: Address of a Ray cluster whose machines compute the blocks, each as a task: "auto" for
            the one that runs on this machine or that `RAY_ADDRESS` names, HOST:PORT, or "local" for
            one that lasts as long as the call. The folder, which this process alone writes, is the
            same, and either way goes on where the other stopped.
        allow_mixed: Whether machines of different kinds may compute the study's rows, which then
            are not to the bit what one of them would compute. `config.json` lists the kinds.

    Returns:
        The table: one row per subset, in order of dataset name, size and subset, with the columns
        `lcrjax.study.columns.COLUMNS`; where diversity varies, those of `DESIGN` there, and with
        `config.training.beyond` those of `LATER`; and those that were added.

    Raises:
        ValueError: If sizes are impossible for a dataset, two datasets share a name, the
            similarity is one of another kind of elements, or these cannot be trained on, or the
            folder holds something else or a study that differs (the differences are listed);
            or Ray is not installed or does not answer.
        MachineError: If a machine is of another kind than those that computed the study so far, or
            a cluster's are lost again and again; finished blocks are safe.
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
    named = {d.name: d for d in datasets}
    with connected(ray, named) as there:
        tell(StudyProgress("designing", ", ".join(sorted(named))))
        blocks = plan_study(datasets, config, functools.partial(there.ask, block_size))
        lengths: dict[str, dict[str, list[int]]] = {}
        for block in blocks:
            of_size = lengths.setdefault(block.dataset, {}).setdefault(str(block.n), [])
            of_size.append(len(block.seeds))
        parts = (("measure", measure, measure_subsets), ("train", train, train_subsets))
        replaced = {word: name_of(part) for word, part, own in parts if part is not own}
        settings = {k: v for k, v in config.to_dict().items() if k != "measures"}
        own, kinds = there.ask(machine), machines_of(out)
        first = kinds[0] if kinds and (allow_mixed or own in kinds) else own
        description = describe(datasets, first, **settings, blocks=lengths, **replaced)

        similarities = {
            d.name: there.ask(parse_similarity, config.similarity, d.train.elements)
            for d in datasets
        }
        work = functools.partial(rows_of, Recipe(config, measure, train, similarities))
        tally, finished = Tally(named, blocks, tell), {}
        with open_store(out, description) as store:
            # Finished blocks are read first, so that the share done rests on all that is known.
            for block in blocks:
                rows = store.read(block)
                if rows is not None:
                    finished[block] = rows
                    tally.finish("found", block)
            left = [block for block in blocks if block not in finished]
            if left:
                store.admit(own, allow_mixed)
            # Small subsets of all datasets come first: an unfinished study compares datasets.
            left.sort(key=lambda block: block.n)
            admitted = None if allow_mixed else store.machines
            for block, on, computed in there.compute(left, work, admitted, tally):
                store.admit(on, allow_mixed)
                assert computed is not None
                finished[block] = store.write(block, computed)
                tally.finish("written", block)
            store.finish([finished[block] for block in blocks])
            if config.measures:
                ordered = [named[name] for name in sorted(named)]
                decides = store.description["decides"]
                measure_finished(store.folder, decides, ordered, config.measures, tally.measuring)
            return read_results(store.folder)
