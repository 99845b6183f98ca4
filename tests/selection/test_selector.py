import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from lcrjax.selection import Selector, select


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)), np.repeat(["a", "b", "c"], 10)


@parametrize_with_checks([Selector()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_it_samples_what_select_chooses(data):
    X, y = data
    found = Selector(size=6, similarity="laplacian:1", objective="facility-location")
    chosen, labels = found.fit_resample(X, y)
    again = select(
        X.astype("f4"), 6, y, similarity="laplacian:1", objective="facility-location"
    ).indices
    np.testing.assert_array_equal(found.sample_indices_, again)
    np.testing.assert_array_equal(chosen, X[again])
    np.testing.assert_array_equal(labels, y[again])
    assert sorted(labels) == ["a", "a", "b", "b", "c", "c"]


def test_tables_stay_tables_and_labels_may_be_unknown(data):
    X, y = pd.DataFrame(data[0], columns=[*"wxyz"]), pd.Series(data[1], name="kind")
    found = Selector(size=0.1)
    chosen, labels = found.fit_resample(X, y)
    pd.testing.assert_frame_equal(chosen, X.iloc[found.sample_indices_])
    pd.testing.assert_series_equal(labels, y.iloc[found.sample_indices_])
    assert found.feature_names_in_.tolist() == [*"wxyz"]
    assert found.fit_resample(X).shape == (3, 4)
    assert found.selection_.labels is None


def test_images_are_compared_as_images(data):
    images = np.random.default_rng(1).integers(0, 256, (30, 3, 3), np.uint8)
    found = Selector(size=4).fit(images)
    np.testing.assert_array_equal(found.sample_indices_, select(images, 4).indices)


def test_random_choices_are_those_of_the_state(data):
    draws = [
        Selector(size=5, objective="random", random_state=state).fit(*data).sample_indices_
        for state in (0, 0, 1, np.random.RandomState(0))
    ]
    assert draws[0].tolist() == draws[1].tolist() == draws[3].tolist() != draws[2].tolist()


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (31, "the size is 31: give a whole number from 1 to 30"),
        (1.5, r"the size is 1.5: give a whole number, or a share in \(0, 1\)"),
        (0.0, "give a whole number, or a share"),
    ],
)
def test_a_size_that_is_none_is_refused(data, size, said):
    with pytest.raises(ValueError, match=said):
        Selector(size=size).fit(*data)


def test_it_is_a_step_of_imbalanced_learns_pipelines(data):
    pipeline = pytest.importorskip("imblearn.pipeline")
    from sklearn.neighbors import KNeighborsClassifier

    X, y = data
    steps = pipeline.make_pipeline(Selector(size=6), KNeighborsClassifier(1))
    clone(steps).fit(X, y)
    steps.fit(X, y)
    assert steps[-1].n_samples_fit_ == 6
    assert len(steps.predict(X)) == 30
