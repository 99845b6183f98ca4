"""The page of a dataset: one HTML file with everything in it."""

import math
from typing import Any

import numpy as np

from lcrjax.data import Dataset
from lcrjax.report.figures.style import class_colours
from lcrjax.report.page.clusters import heat_map
from lcrjax.report.page.distances import distance_chart
from lcrjax.report.page.findings import findings
from lcrjax.report.page.measured import VIEWPOINTS, Measured, Progress, measure_dataset
from lcrjax.report.page.pairs import Pair, closest_pairs, counts
from lcrjax.report.page.profiles import profile_charts, profile_data
from lcrjax.report.page.rendering import render
from lcrjax.report.page.representative import by_class, relative, whole
from lcrjax.report.page.thumbnails import thumbnail

#: Most classes that are drawn and pictured; tables have all.
MOST_CLASSES = 48
#: Most and least ordinary images of a class that are shown.
_PICTURED, _PICTURED_OF_MANY = 6, 3
_MANY = 16


def dataset_page(dataset: Dataset, *, progress: Progress = lambda stage, share: None) -> str:
    """Write a dataset's page: what it is, how diverse, what in it is odd, and whether test leaks.

    All pairs of images are compared, exactly: among the training images, among the test images and
    between the two. Memory grows with the number of images, time with that of pairs.

    Args:
        dataset: As `lcrjax.data.load` returns it.
        progress: Called with what is being done and which share of that.

    Returns:
        An HTML document without references to anything outside itself.
    """
    measured = measure_dataset(dataset, progress)
    progress("drawing", 0.0)
    return render("dataset.html", **_content(dataset, measured))


def _content(dataset: Dataset, measured: Measured) -> dict[str, Any]:
    overall = whole(measured)
    classes = _classes(dataset, measured)
    pictured = sorted(classes, key=lambda c: -c["train"])[:MOST_CLASSES]
    shown = sorted(c["number"] for c in pictured)
    threshold = measured.nearness.threshold
    kinds = {
        "leak": (measured.test_near, "test"),
        "within": (measured.train_near[:1], "train"),
        "across": (measured.train_near[1:], "train"),
    }
    pairs = {
        name: [_pictured(dataset, pair) for pair in closest_pairs(dataset, *kind, threshold)]
        for name, kind in kinds.items()
    }
    return {
        "title": dataset.name,
        "dataset": dataset,
        "classes": classes,
        "shown": shown,
        "whole": _dataset_row(measured),
        "viewpoints": [_viewpoint(q) for q in VIEWPOINTS],
        "findings": findings(dataset, measured, overall),
        "profiles": profile_charts(measured.diversity, shown),
        "profile_data": profile_data(measured.diversity, shown),
        "distances": distance_chart(measured),
        "heat": heat_map(dataset),
        "ordinary": [{**classes[c], **_extremes(dataset, measured, c, len(shown))} for c in shown],
        "nearness": measured.nearness,
        "counts": counts(measured),
        "pairs": pairs,
        "overall": overall,
        "relative": [
            (_viewpoint(q)["text"], relative(measured.test, measured.test_in, q))
            for q in VIEWPOINTS
            if overall
        ],
        "represented": list(zip(classes, by_class(dataset, measured), strict=True)),
        "tests": len(measured.test),
        "pixels": "pixelated" if max(dataset.image_shape[:2]) <= 64 else "auto",
    }


def _viewpoint(q: float) -> dict[str, str]:
    return {"id": "inf" if math.isinf(q) else f"{q:g}", "text": "∞" if math.isinf(q) else f"{q:g}"}


#: Columns of the table of diversities.
_MEASURES = ("alpha", "normalized_rho", "gamma", "normalized_alpha")


def _dataset_row(measured: Measured) -> dict[str, Any]:
    level = measured.diversity.dataset_level
    values = [[float(level[m][measured.at(q)]) for m in _MEASURES] for q in VIEWPOINTS]
    balance = [float(measured.diversity.class_balance[measured.at(q)]) for q in VIEWPOINTS]
    return {"values": values, "balance": balance}


def _classes(dataset: Dataset, measured: Measured) -> list[dict[str, Any]]:
    train = np.bincount(dataset.train_labels, minlength=dataset.n_classes)
    tests = () if dataset.test is None else dataset.test_labels
    test = np.bincount(np.asarray(tests, np.int64), minlength=dataset.n_classes)
    colours = list(class_colours(dataset.class_names).values())
    level = {m: np.asarray(v, np.float64) for m, v in measured.diversity.class_level.items()}
    return [
        {
            "number": c,
            "name": name,
            "colour": colours[c],
            "train": int(train[c]),
            "test": int(test[c]),
            "share": train[c] / train.max(),
            "values": [[float(level[m][measured.at(q), c]) for m in _MEASURES] for q in VIEWPOINTS],
        }
        for c, name in enumerate(dataset.class_names)
    ]


def _extremes(dataset: Dataset, measured: Measured, c: int, n_shown: int) -> dict[str, Any]:
    """Picture a class's most and least ordinary training images."""
    (mine,) = np.nonzero(dataset.train_labels == c)
    order = mine[np.argsort(-measured.own[mine], kind="stable")]
    most = _PICTURED if n_shown <= _MANY else _PICTURED_OF_MANY
    count = min(most, len(order) // 2) or 1
    images, own = dataset.train_images, measured.own
    return {
        name: [{"uri": thumbnail(images[i]), "index": i, "value": float(own[i])} for i in chosen]
        for name, chosen in (("most", order[:count]), ("least", order[::-1][:count]))
    }


def _pictured(dataset: Dataset, pair: Pair) -> dict[str, Any]:
    first = dataset.train_images if pair.first_split == "train" else dataset.test_images
    return {
        "pair": pair,
        "first": thumbnail(first[pair.first]),
        "second": thumbnail(dataset.train_images[pair.second]),
        "first_class": dataset.class_names[pair.first_class],
        "second_class": dataset.class_names[pair.second_class],
    }
