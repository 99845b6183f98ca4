"""The 27 features of many subsets against scipy's cdist and sentropy, one subset after another.

Run `python -m benchmarks.features DATA.npz`; sentropy needs PyTorch: `pip install torch==2.13.0`
(the CPU build) and then `pip install sentropy`.
"""

import argparse
from typing import Any

import numpy as np

from benchmarks.timing import optional, seconds, show
from lcrjax.data import load
from lcrjax.study.feature_table import features

ORDERS = (0, 1, np.inf)


def with_sentropy(images: np.ndarray, labels: np.ndarray) -> Any:
    from scipy.spatial.distance import cdist
    from sentropy import Set

    flat = images.reshape(len(images), -1) / 255.0
    classes = np.arange(labels.max() + 1)

    def one(rows: np.ndarray) -> list[float]:
        x = flat[rows]
        z = np.exp(-cdist(x, x) / np.sqrt(x.shape[1]))
        counts = (labels[rows][:, None] == classes).astype(np.float64)
        measured = Set(counts[:, counts.any(axis=0)], similarity=z)
        out = [float(len(rows))]
        for q in ORDERS:
            for measure in ("alpha", "normalized_rho", "gamma"):
                levels = measured.subset_diversity(q, measure)
                out += [
                    measured.set_diversity(q, measure),
                    float(levels.min()),
                    float(levels.max()),
                ]
        return out

    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="anything lcrjax.data.load takes")
    parser.add_argument("--sizes", default="64,256,1024")
    parser.add_argument("--subsets", type=int, default=100)
    options = parser.parse_args()
    data = load(options.data)
    rng = np.random.default_rng(0)
    peer = optional("sentropy", lambda: with_sentropy(data.train_images, data.train_labels))
    rows: list[tuple[str, ...]] = []
    for n in map(int, options.sizes.split(",")):
        subsets = np.stack(
            [rng.permutation(len(data.train_labels))[:n] for _ in range(options.subsets)]
        )
        ours = seconds(lambda s=subsets: features(data.train_images, data.train_labels, s))
        ours /= options.subsets
        line = [f"{n:,}", f"{1e3 * ours:.3f}"]
        if peer is not None:
            few = subsets[: max(3, min(len(subsets), 4096 // n))]
            theirs = seconds(lambda f=few: [peer(rows) for rows in f]) / len(few)
            line += [f"{1e3 * theirs:.2f}", f"{theirs / ours:.0f}"]
        rows.append(tuple(line))
    columns = ("n", "lcrjax, ms a subset", "cdist + sentropy, ms", "ratio")
    show(f"{options.subsets} subsets of {data.name}", rows, columns[: len(rows[0])])


if __name__ == "__main__":
    main()
