"""Numbers about fruit and digits, and of the features' count, measured anew."""

import functools
import math
from collections.abc import Iterator

import numpy as np

import lcrjax
from lcrjax.data import load
from lcrjax.study.columns import FEATURES


@functools.cache
def measured() -> lcrjax.Diversity:
    data = load("digits")
    return lcrjax.measure(data.train_images, data.train_labels, q=(0, 1))


def index() -> Iterator[str]:
    yield f"a regression of performance on {len(FEATURES)} diversities"
    yield f"as diverse as {measured().dataset_level['alpha'][0]:.1f} images"


def embeddings() -> Iterator[str]:
    yield f"a study's {len(FEATURES)} features"


def tutorial() -> Iterator[str]:
    yield f"as diverse as {measured().dataset_level['alpha'][0]:.1f} images"
    yield f"a factor of {load('digits').n_classes}, the"
    yield f"measure the {len(FEATURES)} features of each"


def measures() -> Iterator[str]:
    apples = lcrjax.hill_number(np.array([6, 1, 1, 1, 1]), np.inf)
    yield f"six of ten, so 10 / 6 = {apples:.2f}"
    citrus = np.array([[1.0, 0.9, 0.8], [0.9, 1.0, 0.9], [0.8, 0.9, 1.0]])
    alpha = lcrjax.diversity(np.ones(3), citrus, q=1).dataset_level["alpha"][0]
    yield f"as diverse as {alpha:.1f} kinds"
    shops = np.array([[6, 0], [6, 2], [0, 2], [0, 4]])
    Z = np.array(
        [[1.0, 0.9, 0.2, 0.1], [0.9, 1.0, 0.2, 0.1], [0.2, 0.2, 1.0, 0.1], [0.1, 0.1, 0.1, 1.0]]
    )
    D = lcrjax.diversity(shops, Z, q=1)
    north, south = D.class_level["normalized_alpha"][0]
    alpha, share = D.class_level["alpha"][0][0], shops[:, 0].sum() / shops.sum()
    yield f"the same: {north:.2f} effective kinds. The south sells {south:.2f}."
    yield (
        f"The north has {shops[:, 0].sum()} of the {shops.sum()} pieces, so {north:.2f} / "
        f"{share:.1f} = {alpha:.2f}."
    )
    yield f"the classes' shares, {D.class_balance[0]:.2f} effective shops"
    yield f"have RMSD 1 and similarity {math.exp(-1):.2f}"


def statistics() -> Iterator[str]:
    count = len(FEATURES)
    yield f"({count} diversities and sizes)"
    yield f"what is left of {count} features and the target into {count} coordinates"
    yield f"from 1 to {count}, the combination"
    yield f"size, and all {count}. At most {count - 1} of the {count} are independent"
