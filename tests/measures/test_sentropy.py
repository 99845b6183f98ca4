"""Differential tests with sentropy, which needs PyTorch and is therefore no test dependency.

To run them: `pip install sentropy torch --extra-index-url https://download.pytorch.org/whl/cpu`.
"""

import jax
import numpy as np
import pytest

import lcrjax
from lcrjax.measures.family import MEASURES

sentropy = pytest.importorskip("sentropy").sentropy

S, C = 12, 3
Q = (0, 1, 2, 5)


@pytest.fixture
def community(rng):
    counts = rng.integers(0, 40, (S, C)).astype(float)
    counts[0] += 1
    z = np.exp(-2 * rng.random((S, S)))
    z = (z + z.T) / 2
    np.fill_diagonal(z, 1)
    return counts, z


@pytest.mark.parametrize("similar", [True, False])
@pytest.mark.parametrize("effective", [True, False])
def test_all_measures_of_both_levels(similar, effective, community, x64):
    counts, z = community
    z = z if similar else None
    found = lcrjax.diversity(counts, z, q=Q)
    theirs = sentropy(
        counts, similarity=z, q=list(Q), measure=list(MEASURES), level="both", eff_no=effective
    ).raw_dict
    dataset = found.dataset_level if effective else found.dataset_entropy
    classes = found.class_level if effective else found.class_entropy
    for name in MEASURES:
        for i, q in enumerate(Q):
            # For the entropies of these measures of classes sentropy gives the numbers themselves.
            if effective or not ("beta" in name or "hat" in name):
                np.testing.assert_allclose(
                    classes[name][i], theirs[f"subset_{name}_q={q}"], rtol=1e-9, atol=1e-12
                )
            if "hat" in name and np.min(found.class_level[name][i]) <= 0:
                continue  # a power mean of negative numbers, which is none
            np.testing.assert_allclose(
                dataset[name][i], theirs[f"overall_{name}_q={q}"], rtol=1e-9, atol=1e-12
            )


def test_one_class(community, x64):
    counts, z = community[0][:, :1], community[1]
    found = lcrjax.diversity(counts, z, q=Q)
    theirs = sentropy(counts, similarity=z, q=list(Q), measure=list(MEASURES), level="both")
    for name in MEASURES:
        for i, q in enumerate(Q):
            np.testing.assert_allclose(
                found.dataset_level[name][i], theirs.raw_dict[f"overall_{name}_q={q}"], rtol=1e-9
            )


@pytest.mark.parametrize("q", Q)
@pytest.mark.parametrize(
    ("measure", "ours"),
    [("sre", lcrjax.relative_diversity), ("sce", lcrjax.cross_diversity)],
)
def test_relative_and_cross_diversity(q, measure, ours, community, rng, x64):
    p, z = community
    r = rng.integers(1, 40, (S, C - 1)).astype(float)
    whole, classes = sentropy(p, r, similarity=z, q=q, measure=measure, level="both")
    np.testing.assert_allclose(ours(p, r, z, q), whole, rtol=1e-9)
    np.testing.assert_allclose(ours(p, r, z, q, between="classes"), classes, rtol=1e-9)


@pytest.mark.parametrize("q", Q[1:])
def test_vendi_score(q, community, x64, rng):
    counts, x = community[0], 3 * rng.normal(size=(S, 4))
    z = np.exp(-np.sum((x[:, None] - x[None]) ** 2, axis=-1) / 8)
    theirs = sentropy(counts, similarity=z, q=q, measure="vendi", level="overall")
    np.testing.assert_allclose(lcrjax.vendi_score(counts, z, q), theirs, rtol=1e-7)


def test_ordinariness_by_a_function_of_two_elements(community, x64, rng):
    counts, x = community[0], rng.normal(size=(S, 2))

    def alike(a, b):
        return np.exp(-np.sum(np.abs(a - b)))

    theirs = sentropy(counts, similarity=alike, sfargs=x, q=1, measure="gamma", parallelize=False)
    pointwise = lcrjax.Pointwise(lambda a, b: jax.numpy.exp(-jax.numpy.sum(jax.numpy.abs(a - b))))
    for kernel in (pointwise, lcrjax.PythonFunction(alike)):
        found = lcrjax.diversity(counts, kernel, q=Q, elements=x).dataset_level["gamma"][1]
        np.testing.assert_allclose(found, theirs("overall"), rtol=1e-9)
