import numpy as np
import pytest

import lcrjax
from lcrjax.numerics.progress import telling
from lcrjax.pairwise import largest
from lcrjax.pairwise.largest import largest_similarities

CLASSES = np.array([2, 0, 2, 0, 0, 2, 2])


@pytest.fixture
def sets():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 3)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)


def by_definition(x, y):
    z = np.exp(-np.sqrt(((x[:, None].astype(float) - y[None]) ** 2).sum(-1)))
    out = np.full((len(x), 3), -np.inf)
    for c in (0, 2):
        out[:, c] = z[:, c == CLASSES].max(axis=1)
    return out


def test_the_largest_of_each_class_whatever_the_blocks(sets, monkeypatch):
    for side in (2**11, 4):
        monkeypatch.setattr(largest, "_LARGEST_SIDE", side)
        found = largest_similarities(lcrjax.Laplacian(1.0), *sets, CLASSES, 3)
        np.testing.assert_allclose(found, by_definition(*sets), atol=2e-6)
    told = []
    with telling(told.append):
        largest_similarities(lcrjax.Laplacian(1.0), *sets, CLASSES, 3)
    assert told[::2] == [0, 16 / 63, 32 / 63, 36 / 63, 48 / 63, 60 / 63]


def test_similarities_that_weigh_elements_themselves():
    texts, others = ["one two", "three"], ["two one", "three", "four"]
    found = largest_similarities(lcrjax.Levenshtein(), texts, others, np.array([0, 0, 1]), 2)
    assert found[1, 0] == 1
    assert (found < 1).sum() == 3
