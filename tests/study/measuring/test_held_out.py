import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from lcrjax.study.measuring import held_out
from lcrjax.study.measuring.held_out import (
    Seen,
    balanced_accuracy,
    held_out_measures,
    look,
    outside,
    viewers,
)
from lcrjax.study.measuring.names import HELD_OUT_MEASURES

N, C = 50, 3


@pytest.fixture
def data(rng):
    x = rng.random((N, 4))
    labels = rng.permutation(np.arange(N) % C)
    return x, labels, [rng.permutation(N)[:n] for n in (12, 25)]


def power_mean(order, w, x):
    if order == 0:
        return np.exp(np.sum(w * np.log(x)))
    return x.min() if order == -np.inf else np.sum(w * x**order) ** (1 / order)


def seen_by(x, labels, subsets, images):
    union = np.unique(np.concatenate(subsets))
    members = [
        [(int(c), np.searchsorted(union, s[labels[s] == c])) for c in np.unique(labels[s])]
        for s in subsets
    ]
    return look(lambda i, j: np.exp(-2 * cdist(x[i], x[j])), images, union, members, labels)


def test_every_measure_equals_its_definition(data):
    x, labels, subsets = data
    images = viewers(N, 25)
    seen = seen_by(x, labels, subsets, images)
    for s, subset in enumerate(subsets):
        there = outside(images, subset)
        others = images[there]
        assert set(others) == set(range(N)) - set(subset)
        part = Seen(*(a[s, there] for a in seen))
        counts = np.bincount(labels[subset], minlength=C)
        found = held_out_measures(part, labels[others], counts)
        assert set(found) == set(HELD_OUT_MEASURES) - {"mmd"}

        z = np.exp(-2 * cdist(x[others], x[subset]))
        same = labels[others][:, None] == labels[subset]
        n, own, everyone = len(subset), (z * same).sum(axis=1), z.sum(axis=1)
        uniform = np.full(len(others), 1 / len(others))
        balanced = np.zeros(len(others))
        for c in range(C):
            balanced[labels[others] == c] = 1 / C / np.sum(labels[others] == c)
        shares = {"cross": everyone / n, "own_cross": own / n,
                  "class_cross": own / same.sum(axis=1)}  # fmt: skip
        for kind, share in shares.items():
            for q, order in {"0": 1, "1": 0, "2": -1, "inf": -np.inf}.items():
                for word, w in (("", uniform), ("balanced_", balanced)):
                    wanted = power_mean(order, w, 1 / share)
                    assert found[f"{word}{kind}_{q}"] == pytest.approx(wanted, rel=1e-12)
        assert found["own_signal"] == pytest.approx(power_mean(0, balanced, own / n**0.5))
        wanted = power_mean(0, balanced, own / everyone**0.5)
        assert found["signal_to_noise"] == pytest.approx(wanted)
        assert found["facility_location"] == pytest.approx(z.max(axis=1).mean())
        assert found["own_facility_location"] == pytest.approx((z * same).max(axis=1).mean())
        rule = KNeighborsClassifier(1).fit(x[subset], labels[subset])
        nearest = balanced_accuracy_score(labels[others], rule.predict(x[others]))
        assert found["nn_bacc"] == pytest.approx(nearest)
        means = [z[:, labels[subset] == c].mean(axis=1) for c in range(C)]
        likest = balanced_accuracy_score(labels[others], np.argmax(means, axis=0))
        assert found["kernel_bacc"] == pytest.approx(likest)


def test_a_class_that_the_subset_lacks_leaves_no_infinite_number(data):
    x, labels, _ = data
    subset = np.flatnonzero(labels > 0)[:10]
    images = viewers(N, 10)
    there = outside(images, subset)
    part = Seen(*(a[0, there] for a in seen_by(x, labels, [subset], images)))
    found = held_out_measures(part, labels[images[there]], np.bincount(labels[subset], minlength=C))
    assert np.isnan(found["own_cross_1"])
    assert np.isfinite([found["cross_1"], found["nn_bacc"], found["own_cross_2"]]).sum() >= 2
    assert found["signal_to_noise"] == 0


def test_a_subset_is_held_against_the_first_images_that_it_lacks(monkeypatch):
    monkeypatch.setattr(held_out, "HELD_OUT", 5)
    images = viewers(N, 3)
    assert len(images) == 8
    np.testing.assert_array_equal(viewers(N, 3), images)
    np.testing.assert_array_equal(outside(images, images[[0, 2, 7]]), [1, 3, 4, 5, 6])


def test_classes_that_do_not_occur_say_nothing():
    assert balanced_accuracy(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 1])) == 0.5
