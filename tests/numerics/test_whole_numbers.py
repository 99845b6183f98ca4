"""What takes a whole number refuses everything else in a sentence, whoever takes it."""

import jaxtyping
import numpy as np
import pytest

import lcrjax
from lcrjax.selection import select

VECTORS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
LABELS = np.arange(40) % 2
COUNTS = np.array([[3, 4], [5, 1]])


@pytest.fixture(autouse=True)
def annotations_are_not_checked(monkeypatch):
    """As where users call."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def measured(**options):
    return lcrjax.measure(VECTORS, LABELS, similarity="laplacian:1", q=1, **options)


TAKEN = {
    "rows": lambda value: measured(rows=value),
    "columns": lambda value: measured(rows=20, columns=value),
    "error": lambda value: measured(error=value),
    "n_classes": lambda value: measured(n_classes=value),
    "seed": lambda value: measured(rows=20, seed=value),
    "tile": lambda value: lcrjax.ordinariness(VECTORS, LABELS, "laplacian:1", tile=value),
    "resamples": lambda value: lcrjax.Bootstrap(value),
    "seed ": lambda value: lcrjax.Bootstrap(seed=value),
    "size": lambda value: lcrjax.Subsets(value),
    "resamples ": lambda value: lcrjax.rarefy(COUNTS, resamples=value),
    "n": lambda value: lcrjax.NGrams(value),
    "sample": lambda value: lcrjax.median_distance(VECTORS, sample=value),
    "seed  ": lambda value: lcrjax.median_distance(VECTORS, seed=value),
    "size ": lambda value: select(VECTORS, value, LABELS),
    "seed   ": lambda value: select(VECTORS, 4, LABELS, seed=value),
}


@pytest.mark.parametrize("value", ["30", 30.5, -1, True])
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_no_whole_number_is_refused(name, value):
    if name == "error" and value in (30.5, True):
        pytest.skip("a number like others")
    with pytest.raises(ValueError, match=rf"{name.strip()}\b.*: give "):
        TAKEN[name](value)


def test_those_of_numpy_are_taken():
    assert measured(rows=np.int64(20), seed=np.uint8(3)).rows == 20
