"""The clustered heat map of a sample of images, for a page."""

import base64
from typing import Any

import matplotlib as mpl
import numpy as np

from lcrjax.data import Dataset
from lcrjax.measures.result import labelled_diversity
from lcrjax.pairwise.zp import ordinariness
from lcrjax.report.figures.clustered import balanced_sample, cluster_order
from lcrjax.report.page.thumbnails import png, sprite

#: Images of the sample; the sheet of their pictures has so many in a row.
COUNT, ACROSS = 128, 16


def heat_map(dataset: Dataset) -> dict[str, Any] | None:
    """Compare a class-balanced sample of training images and order it by clusters.

    Returns:
        Pictures as data URIs: the `map`, and a `sheet` of the images; the images' number `n`, the
        range of similarities shown from `low` to `high`, `runs` of images of one class, A and
        class balance of the sample at q = 1, and `z`, all similarities in units of 1/65535 as
        base64. None for fewer than three images.
    """
    sample = balanced_sample(dataset.train_labels, COUNT)
    if len(sample) < 3:
        return None
    images = dataset.train_images[sample]
    z = np.asarray(ordinariness(images, np.eye(len(sample), dtype=np.float32)))
    order = cluster_order(z)
    z, images, sample = z[order][:, order], images[order], sample[order]
    labels = dataset.train_labels[sample]
    apart = z[~np.eye(len(z), dtype=bool)]
    low, high = float(apart.min()), float(np.quantile(apart, 0.995))
    shades = mpl.colormaps["cividis"](np.clip((z - low) / max(high - low, 1e-9), 0, 1))
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    weights = (labels[:, None] == np.unique(labels)).astype(np.float32) / len(labels)
    classes = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    names = tuple(map(str, np.unique(labels)))
    found = labelled_diversity(z @ weights, classes, names, 1)
    return {
        "n": len(sample),
        "map": png(np.rint(255 * shades[..., :3]).astype(np.uint8)),
        "runs": [
            {"start": int(start), "length": int(length), "label": int(labels[start])}
            for start, length in zip(starts, lengths, strict=True)
        ],
        "sheet": sprite(images, ACROSS),
        "across": ACROSS,
        "low": low,
        "high": high,
        "labels": [int(c) for c in labels],
        "indices": [int(i) for i in sample],
        "alpha": float(found.dataset_level["alpha"][0]),
        "balance": float(found.class_balance[0]),
        "z": base64.b64encode(np.rint(65535 * z).astype("<u2").tobytes()).decode(),
    }
