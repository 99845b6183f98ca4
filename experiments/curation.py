"""Selection against random choice: models trained on what each strategy chooses from a pool.

    python -m experiments.curation FOLDER_WITH_THE_NPZ_FILES [--fashion FOLDER]

Each repetition draws a new pool (half of the training images, 3,000 at most) and a new seed of
training; all strategies choose from the same pool and train with the same seed. Run the same
command to resume. Results go to experiments/results/curation: rows.csv (one row per
model), and tables and a figure made from them. It takes hours on two cores.
"""

import argparse
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from experiments.curation_tables import write
from experiments.options import add_ray
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.data import Dataset, load
from lcrjax.selection import select
from lcrjax.selection.quotas import quotas
from lcrjax.study.run.embedding import embed_dataset
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.plan import Block
from lcrjax.study.run.reference import train_reference
from lcrjax.study.run.trainings import train_blocks
from lcrjax.training import FullConfig, TrainingConfig

RESULTS = Path(__file__).parent / "results" / "curation"
MODELS = Path(tempfile.gettempdir()) / "lcrjax-curation-models"
DATASETS = ("blood", "pneumonia", "covid2", "mednist", "brain", "breast")
SIZES = (64, 128, 256)
#: Sizes of random choice alone: how many random images are worth as much as chosen ones.
RANDOM_SIZES = (64, 96, 128, 192, 256, 384, 512, 768)
LARGEST_POOL, LARGEST_TEST, SEED = 3_000, 600, 20_261_127
#: A model that has not met the criterion by then never will: an image is there with two labels.
RECIPE = TrainingConfig(max_epochs=100)
BRAIN_SIDE = 32  # pixels, of 64: a quarter of the time

Choice = Callable[["Pool", int, int], np.ndarray]


class Pool(NamedTuple):
    """Images to choose from; classes None where they are not known before."""

    dataset: Dataset
    places: np.ndarray
    classes: np.ndarray | None

    @property
    def images(self) -> np.ndarray:
        """Of the pool."""
        return self.dataset.train_images[self.places]

    @property
    def n_classes(self) -> int:
        """Of the dataset."""
        return self.dataset.n_classes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of " + ".npz, ".join(DATASETS) + ".npz")
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST's IDX files")
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    add_ray(parser)
    options = parser.parse_args()
    keep_compiled_programs()
    datasets = dict(load_all(options.data, options.fashion))
    RESULTS.mkdir(parents=True, exist_ok=True)
    train(datasets, options.sizes, options.repetitions, options.ray)


def train(
    datasets: Mapping[str, Dataset], sizes: Sequence[int], repetitions: int, ray: str | None = None
) -> None:
    """Train what is missing of the experiment, and write its tables after each repetition."""
    tested = {name: few_tests(dataset) for name, dataset in datasets.items()}
    last = None
    for block, found in train_blocks(tested, blocks(datasets, sizes, repetitions), RECIPE, ray=ray):
        if last not in (None, (block.n, block.index)):
            write(RESULTS)
        last = block.n, block.index
        labels = datasets[block.dataset].train_labels
        found["classes"] = [len(set(labels[s].tolist())) for s in block.subsets]
        _save(pd.concat([_rows(), found], ignore_index=True))
        print(f"{block.dataset} {block.n} #{block.index}: {len(found)} models", flush=True)
    write(RESULTS)


def load_all(folder: Path, fashion: Path | None) -> Iterator[tuple[str, Dataset]]:
    """Load digits, the six files of a folder, and Fashion-MNIST if there is one."""
    yield "digits", load("digits")
    for name in DATASETS:
        resize = BRAIN_SIDE if name == "brain" else None
        yield name, load(folder / f"{name}.npz", resize=resize)
    if fashion is not None:
        yield "fashion", load(fashion)


def blocks(
    datasets: Mapping[str, Dataset], sizes: Sequence[int], repetitions: int
) -> Iterator[Block]:
    """Choose what is missing, block by block: a size, a repetition and a dataset in each."""
    rows = _rows()
    known = ["dataset", "size", "repetition", "strategy"]
    done = set(rows[known].itertuples(index=False, name=None)) if len(rows) else set()
    for all_sizes, choosing in ((sizes, True), (RANDOM_SIZES, False)):
        for size in all_sizes:
            for repetition in range(repetitions):
                for place, (name, dataset) in enumerate(datasets.items()):
                    wanted = [s for s in STRATEGIES if choosing or s in RANDOM]
                    cells = {s: (name, size, repetition, s) for s in wanted}
                    missing = [s for s, cell in cells.items() if cell not in done]
                    block = _chosen(name, dataset, place, size, repetition, missing)
                    if block:
                        done.update(cells[s] for s in block.design["strategy"])
                        yield block


def _chosen(
    name: str, dataset: Dataset, place: int, size: int, repetition: int, strategies: Sequence[str]
) -> Block | None:
    """What strategies choose of a dataset's pool; None if there is nothing to train."""
    draw = np.random.default_rng([SEED, place, repetition])
    places = draw.permutation(len(dataset.train_labels))
    places = places[: min(len(places) // 2, LARGEST_POOL)]
    labels = dataset.train_labels[places]
    if np.bincount(labels, minlength=dataset.n_classes).min() < -(-size // dataset.n_classes):
        return None  # the pool has fewer of a class than its share
    subsets, trained = [], []
    for strategy in strategies:
        known = None if strategy.endswith("labels unknown") else labels
        pool = Pool(dataset, places, known)
        try:
            chosen = np.asarray(STRATEGIES[strategy](pool, size, repetition))
        except ValueError as error:  # a floor leaves too few of a small class
            print(f"{name} {size} #{repetition}: no {strategy}, since {error}", flush=True)
            continue
        assert len(set(chosen.tolist())) == size, strategy
        subsets.append(places[chosen])
        trained.append(strategy)
    if not trained:
        return None
    each = np.full(len(trained), int(draw.integers(2**32)))
    design = {
        "dataset": np.array([name] * len(trained)),
        "size": np.full(len(trained), size),
        "repetition": np.full(len(trained), repetition),
        "strategy": np.array(trained),
    }
    return Block(name, size, repetition, 0, np.stack(subsets), each, design)


def few_tests(dataset: Dataset) -> Dataset:
    """The dataset with some of its test images, always the same."""
    test = dataset.test
    assert test is not None
    some = np.random.default_rng(SEED).permutation(len(test))[:LARGEST_TEST]
    return dataclasses.replace(dataset, test=test.take(np.sort(some)))


def _rows() -> pd.DataFrame:
    path = RESULTS / "rows.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _save(rows: pd.DataFrame) -> None:
    write_whole(RESULTS / "rows.csv", rows.to_csv(index=False, float_format="%.5f").encode())


def _by_lcrjax(objective: str, scale: float = 10) -> Choice:
    def choice(pool: Pool, size: int, seed: int) -> np.ndarray:
        return select(
            pool.images, size, pool.classes, similarity=f"rmsd:{scale:g}", objective=objective,
            seed=seed,
        ).indices  # fmt: skip

    return choice


def _by_embeddings(pool: Pool, size: int, seed: int) -> np.ndarray:
    """Herding by the cosines of what a model trained on the whole dataset sees."""
    return select(
        _embeddings(pool.dataset)[pool.places], size, pool.classes, similarity="cosine",
        objective="herding", seed=seed,
    ).indices  # fmt: skip


def _embeddings(dataset: Dataset) -> np.ndarray:
    """Of all training images, by a ResNet-18 of half the width; trained once, and kept."""
    digest = dataset.content_hash()
    kept = MODELS / f"{digest[:16]}.npy"
    if not kept.exists():
        few = np.sort(np.random.default_rng(SEED).permutation(len(dataset.train))[:LARGEST_POOL])
        part = dataclasses.replace(few_tests(dataset), train=dataset.train.take(few))
        recipe = TrainingConfig(base_channels=32, max_epochs=6)
        model, out = MODELS / digest[:16], MODELS / f"{digest[:16]}.part.npy"
        train_reference(part, model, FullConfig(training=recipe))
        embed_dataset(dataclasses.replace(dataset, test=None), model, out)
        out.replace(kept)
    return np.asarray(np.load(kept))


def _each_class(choose: Callable[[np.ndarray, int, int], Any]) -> Choice:
    """Choose from the images of each class, as many as of the others, or from all."""

    def choice(pool: Pool, size: int, seed: int) -> np.ndarray:
        vectors = pool.images.reshape(len(pool.images), -1).astype(np.float64) / 255
        if pool.classes is None:
            return np.asarray(choose(vectors, size, seed))
        counts = np.bincount(pool.classes, minlength=pool.n_classes)
        names = [str(c) for c in range(pool.n_classes)]
        wanted = quotas(size, "balanced", counts, 0 * counts, names)
        assert wanted is not None
        found = []
        for c, count in enumerate(wanted):
            (own,) = np.nonzero(pool.classes == c)
            found.append(own[np.asarray(choose(vectors[own], int(count), seed))])
        return np.concatenate(found)

    return choice


def _medoids(vectors: np.ndarray, count: int, seed: int) -> list[int]:
    """The element nearest to each centre of k-means, none twice."""
    from sklearn.cluster import KMeans

    apart = KMeans(count, n_init=1, random_state=seed).fit(vectors).transform(vectors)
    chosen: list[int] = []
    for column in apart.T:
        order = np.argsort(column, kind="stable")
        chosen.append(next(int(i) for i in order if int(i) not in chosen))
    return chosen


_CHOICES: dict[str, Choice] = {
    "random": _by_lcrjax("random"),
    "herding": _by_lcrjax("herding"),
    "facility location": _by_lcrjax("facility-location"),
    "k-means medoids": _each_class(_medoids),
    "k-centre": _by_lcrjax("k-centre"),
    "coverage, q = 1": _by_lcrjax("coverage"),
    "A_0": _by_lcrjax("A_0"),
    "A_1": _by_lcrjax("A_1"),
    "A_0 of the 80 % most ordinary": _by_lcrjax("A_0:0.2"),
    "A_1 of the 80 % most ordinary": _by_lcrjax("A_1:0.2"),
    "herding, scale 5": _by_lcrjax("herding", 5),
    "herding, scale 30": _by_lcrjax("herding", 30),
    "herding, embeddings": _by_embeddings,
}
_UNKNOWN = ("random", "herding", "facility location", "k-means medoids", "k-centre")
#: What is trained at all of `RANDOM_SIZES`.
RANDOM = ("random", "random, labels unknown")
#: How a subset is chosen, by name.
STRATEGIES = {**_CHOICES, **{f"{name}, labels unknown": _CHOICES[name] for name in _UNKNOWN}}


if __name__ == "__main__":
    main()
