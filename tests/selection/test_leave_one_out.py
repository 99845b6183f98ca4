import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import lcrjax
from lcrjax.pairwise import removals
from lcrjax.selection import contributions
from tests import reference

N = 30
Q = (0, 0.5, 1, 1 + 1e-9, 2, 9, 12, 1e3, np.inf)
NAMES = {"A": "alpha", "R": "normalized_rho", "G": "gamma"}
KERNEL = lcrjax.Laplacian(0.5)


@pytest.fixture
def data(rng):
    """Make vectors with a duplicate, in three classes and one of a single element."""
    x = rng.normal(size=(N, 3))
    x[5] = x[6]
    labels = rng.integers(0, 3, N)
    labels[-1] = 3
    return x, labels, np.exp(-2 * np.sqrt(((x[:, None] - x) ** 2).sum(axis=-1)))


def plainly(z, labels, letter, q):
    """A measure of a labelled dataset by the definition, in NumPy float64."""
    n = len(labels)
    alike = labels[:, None] == labels
    own, everyone = (z * alike).sum(axis=1) / n, z.sum(axis=1) / n
    items = {"A": 1 / own, "G": 1 / everyone, "R": everyone / own * alike.mean(axis=1)}[letter]
    return float(reference.plain_power_mean(1 - q, np.full(n, 1 / n), items))


def one_by_one(z, labels, letter, q):
    """Leave each out in turn."""
    whole, every = plainly(z, labels, letter, q), np.arange(len(labels))
    rest = [np.delete(every, i) for i in every]
    return whole - np.array([plainly(z[np.ix_(k, k)], labels[k], letter, q) for k in rest])


@pytest.mark.parametrize("letter", NAMES)
@pytest.mark.parametrize("q", Q)
def test_equals_leaving_each_out(letter, q, data, x64):
    x, labels, z = data
    wanted = one_by_one(z, labels, letter, q)
    for similarity in (KERNEL, z, scipy.sparse.csr_array(z)):
        found = contributions(x, labels, measure=f"{letter}_{q}", similarity=similarity)
        assert found.dtype == jnp.float64
        # Of R at q = 9 removing an element multiplies powers by up to 1e8.
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=3e-13)


@pytest.mark.parametrize("letter", NAMES)
def test_in_single_precision(letter, data, path):
    x, labels, _ = data
    x = x.astype(np.float32)
    z = np.exp(-2 * np.sqrt(((x[:, None].astype(float) - x) ** 2).sum(axis=-1)))
    for q in (0, 1, 12, np.inf):
        found = contributions(x, labels, measure=f"{letter}_{q}", similarity=KERNEL)
        assert found.dtype == jnp.float32
        wanted = one_by_one(z, labels, letter, q)
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=3e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("letter", NAMES)
def test_equals_measures_of_images(letter, rng):
    images = rng.integers(0, 256, (8, 3, 3), np.uint8)
    labels = np.array(["b", "a", "b", "a", "a", "b", "b", "a"])

    def measured(kept):
        found = lcrjax.measure(images[kept], labels[kept], q=1).dataset_level
        return float(found[NAMES[letter]][0])

    every = np.arange(8)
    wanted = [measured(every) - measured(np.delete(every, i)) for i in every]
    found = contributions(images, labels, measure=f"{letter}_1")
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_many_tiles_hold_the_same_pairs(data, x64, monkeypatch):
    x, labels, z = data
    wanted = {letter: one_by_one(z, labels, letter, 0.5) for letter in NAMES}
    monkeypatch.setattr(removals, "tile_side", lambda n, of: 8)
    for letter in NAMES:
        found = contributions(x, labels, measure=f"{letter}_0.5", similarity=KERNEL)
        np.testing.assert_allclose(found, wanted[letter], rtol=1e-10, atol=1e-13)


def test_small_against_the_measure_they_keep_their_digits(rng):
    """Differences of two measures in float32 would keep two digits or so of these."""
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    z = np.exp(-np.sqrt(((x[:, None].astype(float) - x) ** 2).sum(axis=-1)))
    labels = np.zeros(2000, int)
    found = np.asarray(contributions(x, measure="G_1", similarity=lcrjax.Laplacian(1.0)))
    some = [0, 7, 1999]
    every = np.arange(2000)
    whole = plainly(z, labels, "G", 1)
    rest = [np.delete(every, i) for i in some]
    wanted = [whole - plainly(z[np.ix_(k, k)], labels[k], "G", 1) for k in rest]
    np.testing.assert_allclose(found[some], wanted, rtol=3e-5)


@functools.partial(jax.jit, static_argnums=2)
def _derivatives(z, labels, classes, q):
    """Of all three measures by the counts of `diversity`, at a viewpoint that is not static."""
    n = len(labels)

    def measured(counts):
        table = jnp.zeros((n, classes), counts.dtype).at[jnp.arange(n), labels].set(counts)
        found = lcrjax.diversity(table, z, q=q).dataset_level
        return {letter: found[name][0] for letter, name in NAMES.items()}

    return jax.jacrev(measured)(jnp.ones(n, z.dtype))


def abundance_derivatives(z, labels, letter, q):
    """The derivative by the counts of `diversity`, by jax."""
    return _derivatives(z, labels, int(labels.max()) + 1, float(q))[letter]


@pytest.mark.parametrize("letter", NAMES)
@pytest.mark.parametrize("q", [0, 1, 2.5, np.inf])
def test_derivatives_are_those_of_jax(letter, q, data, x64):
    x, labels, z = data
    wanted = abundance_derivatives(z, labels, letter, q)
    for similarity in (KERNEL, z):
        found = contributions(
            x, labels, measure=f"{letter}_{q}", similarity=similarity, change="abundance"
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(np.sum(found), 0, atol=1e-11)


def test_of_a_similarity_that_is_not_symmetric(rng, x64):
    z = rng.random((7, 7)) / 2
    np.fill_diagonal(z, 1)
    labels = np.array([0, 0, 0, 0, 1, 1, 1])

    class Slanted(lcrjax.TiledSimilarity):
        symmetric = False

        def prepare(self, elements):
            return elements[:, 0]

        def block(self, rows, columns):
            return jnp.asarray(z)[rows.astype(int)[:, None], columns.astype(int)[None, :]]

    place = np.arange(7.0)[:, None]
    for letter in NAMES:
        wanted = one_by_one(z, labels, letter, 1)
        for similarity in (z, Slanted()):
            found = contributions(place, labels, measure=f"{letter}_1", similarity=similarity)
            np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)
        wanted = abundance_derivatives(z, labels, letter, 1)
        given = {"measure": f"{letter}_1", "change": "abundance"}
        found = contributions(place, labels, similarity=z, **given)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="Slanted is not symmetric: derivatives need"):
        contributions(place, labels, similarity=Slanted(), change="abundance")


SIMILARITIES = {
    "Identity": (lcrjax.Identity(), np.arange(6)),
    "SameClass": (lcrjax.SameClass(), [*"aabbbc"]),
    "texts": (lcrjax.NGrams(), ["kitten", "sitting", "mitten", "kitten", "fitting", "smitten"]),
    "Taxonomy": (lcrjax.Taxonomy((1, 0.5)), [[*t] for t in ("ax", "bx", "cy", "dy", "ez", "ax")]),
    "Gower": (lcrjax.Gower(), np.array([[1, 5], [2, 3], [9, 4], [4, 4], [1, 1], [0, 9.0]])),
    "product": (
        KERNEL * lcrjax.SameClass(),
        (np.arange(12.0).reshape(6, 2) % 5, np.array([0, 0, 1, 1, 1, 0])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMILARITIES)
def test_any_similarity(name, x64):
    similarity, elements = SIMILARITIES[name]
    labels = np.array([0, 0, 1, 1, 1, 0])
    z = np.asarray(lcrjax.ordinariness(elements, np.eye(6), similarity))
    for measure in ("A_1", "G_0", "R_2", "A_inf", "R_inf"):
        letter, _, q = measure.partition("_")
        found = contributions(elements, labels, measure=measure, similarity=similarity)
        wanted = one_by_one(z, labels, letter, float(q))
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_blocks_are_parts_of_one_whole(data, x64, monkeypatch):
    x, labels, z = data
    monkeypatch.setattr(removals, "_NUMBERS_AT_ONCE", 7 * N)
    for similarity in (
        z,
        KERNEL,
        lcrjax.PythonFunction(lambda a, b: np.exp(-2 * np.linalg.norm(a - b))),
    ):
        for measure in ("R_1", "G_12"):
            letter, _, q = measure.partition("_")
            found = contributions(x, labels, measure=measure, similarity=similarity)
            np.testing.assert_allclose(
                found, one_by_one(z, labels, letter, float(q)), rtol=1e-9, atol=1e-12
            )


def test_without_labels_there_is_one_class(data, x64):
    x, labels, z = data
    found = contributions(x, similarity=KERNEL)
    np.testing.assert_allclose(found, one_by_one(z, 0 * labels, "A", 1), rtol=1e-10)


def test_no_pairs_across_classes_are_looked_at_for_alpha():
    labels = np.repeat([0, 1, 2, 3], 8)
    assert len(removals._tiles(labels, 8, 4, False, True)) == 4
    assert len(removals._tiles(labels, 8, 4, True, True)) == 10
    straddling = np.repeat([0, 1, 2, 3, -1], [6, 10, 8, 4, 4])
    tiles = removals._tiles(straddling, 8, 4, False, True).tolist()
    assert tiles == [[0, 0], [1, 0], [1, 1], [2, 2], [3, 3]]


X = np.zeros((3, 2, 2), np.uint8)
BAD = {
    "the measure is 'B_1': give A, R or G": (X, [0, 0, 1], {"measure": "B_1"}),
    "the measure is 'A_-1'": (X, [0, 0, 1], {"measure": "A_-1"}),
    "change is 'addition': give 'removal' or 'abundance'": (X, [0, 0, 1], {"change": "addition"}),
    "there are 1 elements: without one": (X[:1], [0], {}),
    "there are 3 elements and 2 labels: give one each": (X, [0, 1], {}),
    "elements have several labels each": (X, [[1, 1], [1, 0], [0, 1]], {}),
    "the similarity matrix has shape": (X, [0, 0, 1], {"similarity": np.eye(2)}),
    "pixels": (X + 2.0, [0, 0, 1], {}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    elements, labels, options = BAD[message]
    with pytest.raises(ValueError, match=message):
        contributions(elements, labels, **options)


def test_traced_elements_are_refused():
    with pytest.raises(ValueError, match="elements are traced: call contributions outside"):
        jax.jit(lambda x: contributions(x, np.array([0, 0, 1])))(X / np.float32(255))
