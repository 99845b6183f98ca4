"""The clustered heat map of a sample of images, for a page."""

import base64
from typing import Any

import matplotlib as mpl
import numpy as np

from lcrjax.data import Dataset
from lcrjax.data.dataset import KINDS
from lcrjax.report.figures.clustered import clustered_sample
from lcrjax.report.page.excerpts import excerpt
from lcrjax.report.page.measured import Measured
from lcrjax.report.page.thumbnails import png, sprite
from lcrjax.similarity import RMSD

#: Images of the sample; the sheet of their pictures has so many in a row.
COUNT, ACROSS = 128, 16


def heat_map(dataset: Dataset, measured: Measured) -> dict[str, Any] | None:
    """Compare a class-balanced sample of training elements and order it by clusters.

    Args:
        dataset: Where they are from.
        measured: With the similarity that compares them.

    Returns:
        Pictures as data URIs: the `map`, and a `sheet` of the images, or of other elements
        `excerpts`; their number `n`, what one is called, the `scale` of RMSD or None, the
        range of similarities shown from `low` to `high`, `runs` of images of one class, A and
        class balance of the sample at q = 1, and `z`, all similarities in units of 1/65535 as
        base64. None for fewer than three elements.
    """
    if len(dataset.train_labels) < 3:
        return None
    sample = clustered_sample(dataset, COUNT, similarity=measured.word)
    pictured, split, places = dataset.kind == "images", dataset.train, sample.places.tolist()
    alike = measured.similarity
    (low, high), labels, found = sample.shown, sample.labels, sample.found
    shades = mpl.colormaps["cividis"](np.clip((sample.z - low) / max(high - low, 1e-9), 0, 1))
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    return {
        "n": len(labels),
        "map": png(np.rint(255 * shades[..., :3]).astype(np.uint8)),
        "runs": [
            {"start": int(start), "length": int(length), "label": int(labels[start])}
            for start, length in zip(starts, lengths, strict=True)
        ],
        "sheet": sprite(sample.elements, ACROSS) if pictured else None,
        "excerpts": [] if pictured else [excerpt(split.elements, dataset.kind, i) for i in places],
        "one": KINDS[dataset.kind],
        "scale": float(np.asarray(alike.scale)) if isinstance(alike, RMSD) else None,
        "ratio": dataset.image_shape[1] / dataset.image_shape[0] if pictured else None,
        "across": ACROSS,
        "low": low,
        "high": high,
        "labels": [int(c) for c in labels],
        "indices": [split.name_of(i) for i in places],
        "alpha": float(found.dataset_level["alpha"][0]),
        "balance": float(found.class_balance[0]),
        "z": base64.b64encode(np.rint(65535 * sample.z).astype("<u2").tobytes()).decode(),
    }
