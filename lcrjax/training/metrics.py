"""Accuracy, balanced accuracy and multiclass AUC of predictions."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Int

_SIDES: tuple[Literal["left"], Literal["right"]] = "left", "right"


class Scores(NamedTuple):
    """Performance of one model on a test set, each in [0, 1].

    Attributes:
        acc: Share of images classified correctly.
        bacc: Mean over the classes of the share of their images classified correctly.
        auc: Area under the ROC curve, one class against the rest, mean over the classes.
        auc_micro: The same over all (image, class) pairs pooled.
    """

    acc: float
    bacc: float
    auc: float
    auc_micro: float


def score(
    probabilities: Float[Array | np.ndarray, "n classes"], labels: Int[Array | np.ndarray, " n"]
) -> Scores:
    """Score predictions against the truth.

    Classes without a test image say nothing: `bacc` and `auc` are means over the classes
    present, and `auc_micro` keeps the absent classes' pairs as negatives. If all images are of one
    class, `auc` is NaN. Of a class that is absent, scikit-learn has the same `bacc` and no AUC.

    Args:
        probabilities: Score of each class for each image; any monotone score serves `acc`,
            `bacc` and `auc`, while `auc_micro` compares scores across classes.
        labels: True classes, 0 to classes - 1.
    """
    # On the host: a GPU is waited for once.
    scores, given = np.asarray(probabilities), np.asarray(labels)
    classes = np.arange(scores.shape[1])
    right = np.argmax(scores, axis=1) == given
    support, found = (np.bincount(x, minlength=len(classes)) for x in (given, given[right]))
    recall = found[support > 0] / support[support > 0]
    truth = given[:, None] == classes[None, :]
    ranked = classes[(support > 0) & (support < len(given))]
    aucs = [_auc(scores[:, c], truth[:, c]) for c in ranked]
    auc = np.mean(aucs) if aucs else np.nan
    micro = _auc(scores.reshape(-1), truth.reshape(-1))
    return Scores(float(right.mean()), float(recall.mean()), float(auc), micro)


def _auc(scores: Float[np.ndarray, " n"], truth: Bool[np.ndarray, " n"]) -> float:
    """Share of pairs whose positive has the higher score, ties counting half (Mann-Whitney).

    It is that of scikit-learn's `roc_auc_score`, which takes over ten times as long. NaN where a
    score is NaN, or there are no pairs.
    """
    positives, negatives = np.sort(scores[truth]), np.sort(scores[~truth])
    largest = [*positives[-1:], *negatives[-1:]]  # where NaN comes last
    if len(largest) < 2 or np.isnan(largest).any():
        return float("nan")
    below = sum(int(np.searchsorted(negatives, positives, side).sum()) for side in _SIDES)
    return below / (2 * len(positives) * len(negatives))
