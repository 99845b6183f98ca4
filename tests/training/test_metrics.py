import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from lcrjax.training.metrics import score


@st.composite
def predictions(draw):
    n_classes = draw(st.sampled_from([2, 3, 7]))
    n = draw(st.just(57))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    logits = rng.normal(size=(n, n_classes)) + 2 * (labels[:, None] == np.arange(n_classes))
    if draw(st.booleans()):
        logits = np.round(logits)  # ties
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities.astype(np.float32), labels


def reference(probabilities, labels):
    classes = np.arange(probabilities.shape[1])
    truth = labels[:, None] == classes
    return (
        accuracy_score(labels, probabilities.argmax(1)),
        balanced_accuracy_score(labels, probabilities.argmax(1)),
        np.mean([roc_auc_score(truth[:, c], probabilities[:, c]) for c in classes]),
        roc_auc_score(truth.ravel(), probabilities.ravel()),
    )


@settings(max_examples=30, deadline=None)
@given(predictions())
def test_equals_scikit_learn(case):
    probabilities, labels = case
    np.testing.assert_allclose(score(*case), reference(*case), atol=1e-12)
    if probabilities.shape[1] > 2:
        wide = probabilities.astype(np.float64)
        wide /= wide.sum(1, keepdims=True)
        expected = roc_auc_score(labels, wide, multi_class="ovr", average="macro")
        np.testing.assert_allclose(score(*case).auc, expected, atol=1e-6)


def test_many_images_stay_exact():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 9, 20_000)
    logits = rng.normal(size=(20_000, 9)) + (labels[:, None] == np.arange(9))
    probabilities = np.asarray(jax.nn.softmax(logits.astype(np.float32)))
    np.testing.assert_allclose(
        score(probabilities, labels), reference(probabilities, labels), atol=1e-12
    )


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_absent_classes_are_left_out():
    rng = np.random.default_rng(2)
    labels = np.array([0, 2, 2, 0, 2, 0, 0])
    probabilities = rng.dirichlet(np.ones(4), 7).astype(np.float32)
    actual = score(probabilities, labels)
    truth = labels[:, None] == np.arange(4)
    present = [roc_auc_score(truth[:, c], probabilities[:, c]) for c in (0, 2)]
    np.testing.assert_allclose(actual.auc, np.mean(present), atol=1e-6)
    with pytest.raises(ValueError, match=r"[Nn]umber of classes"):
        roc_auc_score(labels, probabilities, multi_class="ovr")
    expected = balanced_accuracy_score(labels, probabilities.argmax(1))
    np.testing.assert_allclose(actual.bacc, expected, atol=1e-6)
    np.testing.assert_allclose(
        actual.auc_micro, roc_auc_score(truth.ravel(), probabilities.ravel()), atol=1e-6
    )


def test_one_class_has_no_auc():
    probabilities = np.full((5, 3), 1 / 3, np.float32)
    assert np.isnan(score(probabilities, np.zeros(5, int)).auc)
    assert score(probabilities, np.zeros(5, int)).bacc == 1
    assert np.isnan(score(probabilities[:, :1], np.zeros(5, int)).auc_micro)


@pytest.mark.parametrize("image", [0, 5])
def test_predictions_that_are_no_numbers_have_no_auc(image):
    probabilities, labels = np.full((6, 2), 0.5, np.float32), np.array([0, 0, 0, 0, 0, 1])
    probabilities[image, 1] = np.nan
    assert np.isnan(score(probabilities, labels)[2:]).all()
