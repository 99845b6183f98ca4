"""The page of a dataset: one HTML file with everything in it."""

import math
from typing import Any

import numpy as np

from lcrjax.data import Dataset
from lcrjax.data.dataset import KINDS
from lcrjax.measures.readable import readable
from lcrjax.measures.result import Diversity
from lcrjax.report.figures.style import class_colours
from lcrjax.report.page.clusters import heat_map
from lcrjax.report.page.distances import distance_chart
from lcrjax.report.page.excerpts import shown as show
from lcrjax.report.page.findings import findings
from lcrjax.report.page.measured import VIEWPOINTS, Measured, Progress, measure_dataset
from lcrjax.report.page.pairs import Pair, closest_pairs, counts, pair_table
from lcrjax.report.page.profiles import profile_charts, profile_data
from lcrjax.report.page.rendering import render, significant
from lcrjax.report.page.representative import by_class, relative, whole
from lcrjax.similarity import RMSD
from lcrjax.similarity.spec import describe_similarity

#: Most classes that are drawn and pictured; tables have all.
MOST_CLASSES = 48
#: Most and least ordinary images of a class that are shown.
_PICTURED, _PICTURED_OF_MANY = 6, 3
_MANY = 16


def dataset_page(
    dataset: Dataset,
    *,
    similarity: str | None = None,
    progress: Progress = lambda stage, share: None,
    rows: int | None = None,
    exact: bool = False,
) -> str:
    """Write a dataset's page: what it is, how diverse, what in it is odd, and whether test leaks.

    All pairs of elements are compared, exactly: training with training, test with test and between
    the two. Memory grows with the number of elements, time with that of pairs. Of more than 200,000
    elements, training and test together, some are drawn and compared with all: diversity is then an
    estimate, and the page says so. Near-duplicates are those of images and vectors, by RMSD,
    whatever the similarity.

    Args:
        dataset: As `lcrjax.data.load` returns it; elements of any kind.
        similarity: In a word, see `lcrjax.parse_similarity`; None for what is usual: "rmsd" of
            images, "cosine" of vectors, "ngram" of texts and "gower" of rows.
        progress: Called with what is being done and which share of that.
        rows: How many elements to draw; None for all, and of large data 4,096, or 16 for each
            class if that is more. If they are all or more, all pairs are compared.
        exact: Compare all pairs of large data, too.

    Returns:
        An HTML document without references to anything outside itself.

    Raises:
        ValueError: If the similarity compares another kind of elements, rows and exact are both
            given, or rows are fewer than two for each class.
    """
    measured = measure_dataset(dataset, progress, similarity=similarity, rows=rows, exact=exact)
    progress("drawing", 0.0)
    return render("dataset.html", **_content(dataset, measured))


def _content(dataset: Dataset, measured: Measured) -> dict[str, Any]:
    overall = whole(measured)
    classes = _classes(dataset, measured)
    pictured = sorted(classes, key=lambda c: -c["train"])[:MOST_CLASSES]
    shown = sorted(c["number"] for c in pictured)
    kinds = {
        "leak": [(kind, "test") for kind in measured.test_near],
        "within": [(measured.train_near[0], "train")],
        "across": [(measured.train_near[1], "train"), (measured.test_near[1], "test")],
    }
    pairs = {
        name: [_pictured(dataset, pair) for pair in closest_pairs(dataset, kind, measured)]
        for name, kind in kinds.items()
    }
    return {
        "title": dataset.name,
        "dataset": dataset,
        "one": KINDS[dataset.kind],
        "many": dataset.kind,
        "shape": " × ".join(map(str, dataset.element_shape)),
        "alike": _alike(dataset, measured),
        "drawn": measured.drawn,
        "estimated": measured.diversity.rows is not None,
        "classes": classes,
        "shown": shown,
        "whole": _dataset_row(measured),
        "viewpoints": [_viewpoint(q) for q in VIEWPOINTS],
        "findings": findings(dataset, measured, overall),
        "profiles": profile_charts(measured.diversity, shown, KINDS[dataset.kind]),
        "profile_data": profile_data(measured.diversity, shown),
        "distances": distance_chart(measured, KINDS[dataset.kind]),
        "heat": heat_map(dataset, measured),
        "ordinary": [{**classes[c], **_extremes(dataset, measured, c, len(shown))} for c in shown],
        "nearness": measured.nearness,
        "counts": counts(measured),
        "pairs": pairs,
        "pair_table": pair_table(pairs),
        "overall": overall,
        "relative": [
            (_viewpoint(q)["text"], relative(measured.test, measured.test_in, q))
            for q in VIEWPOINTS
            if overall and not (measured.drawn and math.isinf(q))  # an extreme that all decide
        ],
        "represented": list(zip(classes, by_class(dataset, measured), strict=True)),
        "tests": 0 if dataset.test is None else len(dataset.test),
        "tested": len(measured.test),
        "looked": len(measured.rows),
    }


def _alike(dataset: Dataset, measured: Measured) -> str:
    """Say in a sentence what the similarity compares."""
    if not isinstance(measured.similarity, RMSD):
        said = describe_similarity(measured.word, measured.similarity, dataset.kind)
        return f"How alike two {dataset.kind} are: {said}."
    scale = float(np.asarray(measured.similarity.scale))
    of = "pixels" if dataset.kind == "images" else "components"
    units = ", with pixels from 0 to 1" if dataset.kind == "images" else ""
    rate = "" if scale == 1 else f"{scale:g} · "
    return (
        f"{dataset.kind.capitalize()} are similar if their {of} differ little: "
        f"Z = exp(−{rate}RMSD){units}."
    )


def _viewpoint(q: float) -> dict[str, str]:
    return {"id": "inf" if math.isinf(q) else f"{q:g}", "text": "∞" if math.isinf(q) else f"{q:g}"}


#: Columns of the table of diversities.
_MEASURES = ("alpha", "normalized_rho", "gamma", "normalized_alpha")


def _dataset_row(measured: Measured) -> dict[str, Any]:
    values = [[_written(measured, m, q) for m in _MEASURES] for q in VIEWPOINTS]
    balance = [float(measured.diversity.class_balance[measured.at(q)]) for q in VIEWPOINTS]
    return {"values": values, "balance": balance}


def _written(measured: Measured, measure: str, q: float, c: int | None = None) -> str:
    """A number of a class, or of the dataset, with its interval where it is an estimate."""
    found, at = measured.diversity, measured.at(q)

    def of(part: Diversity) -> float:
        level = part.dataset_level if c is None else part.class_level
        return float(level[measure][at] if c is None else level[measure][at, c])

    value = of(found)
    if found.rows is None or found.lower is None or found.upper is None:
        return significant(value)
    bound = bool(found.bounds[at, 0 if c is None else c + 1])
    return readable(value, of(found.lower), of(found.upper), bound, significant)


def _classes(dataset: Dataset, measured: Measured) -> list[dict[str, Any]]:
    train = np.bincount(dataset.train_labels, minlength=dataset.n_classes)
    tests = () if dataset.test is None else dataset.test_labels
    test = np.bincount(np.asarray(tests, np.int64), minlength=dataset.n_classes)
    colours = list(class_colours(dataset.class_names).values())
    return [
        {
            "number": c,
            "name": name,
            "colour": colours[c],
            "train": int(train[c]),
            "test": int(test[c]),
            "share": train[c] / train.max(),
            "values": [[_written(measured, m, q, c) for m in _MEASURES] for q in VIEWPOINTS],
        }
        for c, name in enumerate(dataset.class_names)
    ]


def _extremes(dataset: Dataset, measured: Measured, c: int, n_shown: int) -> dict[str, Any]:
    """Picture a class's most and least ordinary training images."""
    (mine,) = np.nonzero(dataset.train_labels[measured.rows] == c)
    # What rounding alone tells apart stays in the order of the dataset.
    order = mine[np.argsort(-measured.own[mine].round(6), kind="stable")]
    few = n_shown > _MANY or dataset.kind != "images"  # words take more room
    most = _PICTURED_OF_MANY if few else _PICTURED
    count = min(most, len(order) // 2) or 1
    split, own = dataset.train, measured.own
    return {
        name: [
            {**show(split, dataset.kind, int(measured.rows[i])), "value": float(own[i])}
            for i in chosen.tolist()
        ]
        for name, chosen in (("most", order[:count]), ("least", order[::-1][:count]))
    }


def _pictured(dataset: Dataset, pair: Pair) -> dict[str, Any]:
    first = dataset.test if pair.first_split == "test" and dataset.test else dataset.train
    return {
        "pair": pair,
        "first": show(first, dataset.kind, pair.first),
        "second": show(dataset.train, dataset.kind, pair.second),
        "first_class": dataset.class_names[pair.first_class],
        "second_class": dataset.class_names[pair.second_class],
    }
