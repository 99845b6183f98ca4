"""Accuracy, balanced accuracy and multiclass AUC, on the device.

AUC is the rank statistic with ties counted half, so it equals scikit-learn's `roc_auc_score`
with `multi_class="ovr"` on the softmax probabilities.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lcrjax import native


class Scores(NamedTuple):
    """Performance of one model on a test set, each in [0, 1].

    Attributes:
        acc: Share of images classified correctly.
        bacc: Mean over the classes of the share of their images classified correctly.
        auc: Area under the ROC curve, one class against the rest, mean over the classes.
        auc_micro: The same over all (image, class) pairs pooled.
    """

    acc: Float[Array, ""]
    bacc: Float[Array, ""]
    auc: Float[Array, ""]
    auc_micro: Float[Array, ""]


def score(probabilities: Float[Array, "n classes"], labels: Int[Array, " n"]) -> Scores:
    """Score predictions against the truth.

    Classes without a test image say nothing: `bacc` and `auc` are means over the classes
    present, and `auc_micro` keeps the absent classes' pairs as negatives, as scikit-learn does.
    If all images are of one class, `auc` is NaN.

    Args:
        probabilities: Score of each class for each image; any monotone score serves `acc`,
            `bacc` and `auc`, while `auc_micro` compares scores across classes.
        labels: True classes, 0 to classes - 1.

    Returns:
        Four scalars.
    """
    n, n_classes = probabilities.shape
    truth = labels[:, None] == jnp.arange(n_classes)
    right = jnp.argmax(probabilities, 1) == labels
    support = truth.sum(0)
    recall = (truth & right[:, None]).sum(0) / jnp.maximum(support, 1)
    per_class = _rank_aucs(probabilities.T, truth.T)
    ranked = (support > 0) & (support < n)
    return Scores(
        acc=right.mean(),
        bacc=recall.sum(where=support > 0) / (support > 0).sum(),
        auc=jnp.sum(per_class, where=ranked) / ranked.sum(),
        auc_micro=_rank_aucs(probabilities.reshape(1, -1), truth.reshape(1, -1))[0],
    )


def _rank_aucs(scores: Float[Array, "rows n"], positive: Array) -> Float[Array, " rows"]:
    """AUC of each row; the kernel also spares the compiler a second of work on sorts and scans."""

    def by_kernel(scores: Array, positive: Array) -> Array:
        rows = jax.ShapeDtypeStruct(scores.shape[:1], jnp.float32)
        call = jax.ffi.ffi_call(native.target("auc"), rows, vmap_method="sequential")
        return call(scores, positive)

    def by_jax(scores: Array, positive: Array) -> Array:
        return jax.lax.map(lambda pair: _rank_auc(*pair), (scores, positive))

    if native.available() and scores.dtype == jnp.float32:
        return jax.lax.platform_dependent(scores, positive, cpu=by_kernel, default=by_jax)
    return by_jax(scores, positive)


def _rank_auc(scores: Float[Array, " n"], positive: Array) -> Float[Array, ""]:
    """Probability that a positive outranks a negative, ties counting half (Mann-Whitney)."""
    n = scores.shape[0]
    ordered, positive = jax.lax.sort((scores, positive.astype(jnp.int32)), num_keys=1)
    index = jnp.arange(n, dtype=jnp.int32)
    starts = jnp.concatenate([jnp.ones(1, bool), ordered[1:] != ordered[:-1]])
    ends = jnp.concatenate([starts[1:], jnp.ones(1, bool)])
    first = jax.lax.cummax(jnp.where(starts, index, 0))
    last = jax.lax.cummin(jnp.where(ends, index, n - 1), reverse=True)
    negatives = jnp.cumsum(1 - positive, dtype=jnp.int32)
    below = negatives[first] - (1 - positive[first])
    tied = negatives[last] - below
    n_negative = negatives[-1]
    n_positive = n - n_negative
    # Each term is a share of the negatives, so float32 sums keep a relative error near 1e-7.
    wide = jnp.promote_types(scores.dtype, jnp.float32)
    share = (below + 0.5 * tied).astype(wide) / n_negative
    return jnp.sum(share, where=positive == 1) / n_positive
