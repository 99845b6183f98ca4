"""Stand-ins for the parts of a study: instant, and functions of subset and seed alone."""

import numpy as np
import pandas as pd

from lcrjax.data import Dataset, Split
from lcrjax.study.columns import FEATURES, LATER
from lcrjax.study.run import runner


def dataset(name="toy", seed=0, counts=(60, 40, 50), shape=(4, 4)):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    images = rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8)
    names = tuple(f"class {i}" for i in range(len(counts)))
    train, test = Split(images, labels), Split(images[:20], labels[:20])
    return Dataset(name, train, test, names, source="made up", licence="none")


def write_npz(path, dataset):
    names = ("train_images", "train_labels", "test_images", "test_labels")
    np.savez(path, **{name: getattr(dataset, name) for name in names})
    return path


def measure(dataset, subsets, similarity=None):
    del similarity
    rows = []
    for subset in subsets:
        counts = np.bincount(dataset.train_labels[subset])
        shares = counts / counts.sum()
        values = np.random.default_rng(subset).uniform(1, 3, len(FEATURES))
        rows.append(dict(zip(FEATURES, values, strict=True)))
        rows[-1]["CB_1"] = np.exp(-np.sum(shares * np.log(shares)))
        rows[-1]["size"] = float(len(subset))
    return pd.DataFrame(rows)


def train(dataset, subsets, seeds, config=None, *, progress=None):
    del dataset, progress
    rows = []
    for subset, seed in zip(subsets, seeds, strict=True):
        rng = np.random.default_rng([int(seed), *map(int, subset[:4])])
        acc, bacc, auc, micro = rng.uniform(0.2, 1, 4)
        rows.append(
            {
                "acc": acc,
                "bacc": bacc,
                "auc": auc,
                "auc_micro": micro,
                "epochs": int(rng.integers(3, 40)),
                "train_accuracy": 1.0,
                "converged": True,
                "failure": None,
                "seconds": rng.uniform(),
            }
        )
        if config is not None and config.beyond:
            rows[-1] |= {column.name: rng.uniform(0.2, 1) for column in LATER}
    return pd.DataFrame(rows)


def block_size(dataset, n, config):
    del dataset, config
    return max(1, 256 // n)


PARTS = {"measure": measure, "train": train, "block_size": block_size}


def run_study(datasets, out, config, **options):
    """Run a study with the stand-ins, or with what is given instead of them."""
    return runner.run_study(datasets, out, config, **PARTS | options)
