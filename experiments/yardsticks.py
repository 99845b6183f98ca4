"""Yardsticks: A, R and G of ten known datasets, and of random parts of them.

Run `python -m experiments.yardsticks FOLDER_WITH_THE_NPZ_FILES --fashion FOLDER --mnist FOLDER
--cifar FOLDER`. It measures training images (test images of MNIST) with two similarities and writes
experiments/results/yardsticks in a few minutes.
"""

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.curation import DATASETS
from experiments.measures_tables import write_table
from experiments.yardsticks_figure import yardsticks_figure
from lcrjax import RMSD, measure, parse_similarity
from lcrjax.data import Dataset, load
from lcrjax.report import PROFILE_ORDERS
from lcrjax.study import features

ORDERS = tuple(sorted({*PROFILE_ORDERS, 1.0}))
SCALES = ("paper", "half median")
MEASURES = {"A": "alpha", "R": "normalized_rho", "G": "gamma"}
COLUMNS = tuple(f"{letter}_{q}" for letter in MEASURES for q in ("0", "1", "inf"))
SIZES, DRAWS, BAND = (64, 256, 1024), 20, 256
RESULTS = Path(__file__).parent / "results" / "yardsticks"


def similarity(scale: str, data: Dataset) -> RMSD:
    """The paper's, or `laplacian:0.5median` as one of bytes, which is quicker."""
    if scale == "paper":
        return RMSD()
    images = data.train.elements
    length = parse_similarity("laplacian:0.5median", images).length  # type: ignore[attr-defined]
    return RMSD(float(np.sqrt(images[0].size) / length))


def whole_and_parts(data: Dataset, scale: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables with a row for the dataset, for each size of its parts, and for each viewpoint."""
    images, labels = data.train.elements, data.train_labels
    alike = similarity(scale, data)
    said = {"dataset": data.name, "similarity": scale, "scale": float(alike.scale)}
    D = measure(images, labels, similarity=alike, q=ORDERS)
    at = [ORDERS.index(q) for q in (0.0, 1.0, np.inf)]
    values = [D.dataset_level[name][i] for name in MEASURES.values() for i in at]
    row = said | {"images": len(labels), "classes": data.n_classes}
    row |= {"CB_1": float(D.class_balance[at[1]])}
    row |= {name: float(x) for name, x in zip(COLUMNS, values, strict=True)}
    yield "whole", pd.DataFrame([row])
    rng = np.random.default_rng(0)
    for n in SIZES:
        if n > len(labels):
            continue
        parts = np.stack([rng.permutation(len(labels))[:n] for _ in range(DRAWS)])
        table = features(images, labels, parts, similarity=alike)[list(COLUMNS)]
        for end, share in (("median", 0.5), ("low", 0.05), ("high", 0.95)):
            row = said | {"n": n, "of parts": end} | table.quantile(share).to_dict()
            yield "parts", pd.DataFrame([row])
    drawn = [rng.permutation(len(labels))[: min(BAND, len(labels))] for _ in range(DRAWS)]
    bands = [
        measure(images[i], labels[i], similarity=alike, q=ORDERS, n_classes=data.n_classes)
        for i in drawn
    ]
    for letter, name in MEASURES.items():
        each = np.stack([band.dataset_level[name] for band in bands])
        low, high = np.quantile(each, (0.05, 0.95), axis=0)
        columns = {"q": ORDERS, "whole": np.asarray(D.dataset_level[name])}
        rest = pd.DataFrame(said | {"measure": letter} | columns | {"low": low, "high": high})
        yield "profiles", rest


def shown(whole: pd.DataFrame, parts: pd.DataFrame, scale: str) -> pd.DataFrame:
    """The table of one similarity on the page."""
    table = whole[whole["similarity"] == scale].set_index("dataset")
    found = table[["images", "classes", "A_0", "R_1", "G_1"]].copy()
    found.insert(3, "A_0 / classes", found["A_0"] / found["classes"])
    own = parts[parts["similarity"] == scale].pivot(index="dataset", columns=["n", "of parts"])
    for n in SIZES:
        low, high = (own["A_0"][n][end] for end in ("low", "high"))
        ends = [f"{a:#.3g}–{b:#.3g}" if a == a else "" for a, b in zip(low, high, strict=True)]
        found[f"A_0 of {n:,}"] = pd.Series(ends, low.index).reindex(found.index)
    return found.reset_index()


def write(rows: Path, out: Path) -> None:
    """Write the tables of the page and its figure, from the rows of a folder."""
    found = {kind: pd.read_csv(rows / f"{kind}.csv") for kind in ("whole", "parts", "profiles")}
    for scale in SCALES:
        table = shown(found["whole"], found["parts"], scale)
        write_table(table, out, scale.replace(" ", "-"))
    figure = yardsticks_figure(found["profiles"])
    figure.savefig(out / "yardsticks.png", dpi=130, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the panel's .npz files")
    parser.add_argument("--fashion", type=Path, required=True, help="folder of its IDX files")
    parser.add_argument("--mnist", type=Path, required=True, help="folder of its IDX files")
    parser.add_argument(
        "--cifar", type=Path, required=True, help="folder with train/airplane/0001.jpg and so on"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[pd.DataFrame]] = {}
    files = {name: options.data / f"{name}.npz" for name in DATASETS}
    loaded = {name: load(source) for name, source in {"digits": "digits", **files}.items()}
    loaded["fashion"] = load(options.fashion)
    mnist = load(options.mnist, test_fraction=0)
    loaded["mnist"] = dataclasses.replace(mnist, train=mnist.test or mnist.train, test=None)
    loaded["cifar10"] = load(options.cifar, test_fraction=0)
    for name, data in loaded.items():
        for scale in SCALES:
            for kind, table in whole_and_parts(data, scale):
                tables.setdefault(kind, []).append(table.assign(dataset=name))
        print(name, flush=True)
    for kind, each in tables.items():
        table = pd.concat(each, ignore_index=True)
        table.to_csv(options.out / f"{kind}.csv", index=False, float_format="%.6g")
    write(options.out, options.out)


if __name__ == "__main__":
    main()
