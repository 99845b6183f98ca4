import re

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.data import from_arrays
from lcrjax.measures.family import MEASURES


def test_measure_by_hand():
    """Black and white images, RMSD 0 within and 1 between: Z = 1 and 1/e."""
    images = np.zeros((4, 2, 2), np.uint8)
    images[1], images[3] = 255, 255
    found = lcrjax.measure(images, ["one", "one", "two", "two"], q=(0, 1, np.inf))
    mean = (1 + np.exp(-1)) / 2
    assert found.class_names == ("one", "two")
    for q in range(3):
        np.testing.assert_allclose(found.class_level["gamma"][q], 1 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["normalized_alpha"][q], 1 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["alpha"][q], 2 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["rho"][q], 2, rtol=1e-6)
        np.testing.assert_allclose(found.dataset_level["normalized_rho"][q], 1, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["rho_hat"][q], 1, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["beta_hat"][q], 0, atol=1e-6)
    np.testing.assert_allclose(found.class_balance, 2, rtol=1e-6)


def test_labels_of_any_kind_give_the_same():
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 2), np.uint8)
    found = lcrjax.measure(images, ["a", "b", "b", "a"])
    for labels in ([0, 1, 1, 0], [[0], [1], [1], [0]], [False, True, True, False], [3.0, 7, 7, 3],
                   np.array([0, 1, 1, 0], np.uint8)):  # fmt: skip
        other = lcrjax.measure(images, labels)
        for name in MEASURES:
            np.testing.assert_array_equal(other.class_level[name], found.class_level[name])
    assert lcrjax.measure(images, [3, 7, 7, 3]).class_names == ("3", "7")


def test_elements_may_be_strings():
    words = np.array(["ab", "abc", "xy", "x"])

    def alike(x, y):
        return len(set(x) & set(y)) / len(set(x) | set(y))

    found = lcrjax.measure(words, [0, 0, 1, 1], similarity=lcrjax.PythonFunction(alike))
    mean = np.mean([[alike(x, y) for y in words] for x in words], axis=1)
    np.testing.assert_allclose(found.dataset_level["gamma"][0], np.mean(1 / mean), rtol=1e-6)


REAL = {
    "blood": (0.823, 1.215, 1.215, 1.180, 9.399),
    "pneumonia": (0.836, 1.197, 1.197, 1.150, 2.378),
    "covid2": (0.780, 1.284, 1.283, 1.218, 2.555),
    "mednist": (0.718, 1.396, 1.394, 1.279, 7.297),
    "brain": (0.820, 1.221, 1.220, 1.176, 4.887),
    "breast": (0.803, 1.247, 1.246, 1.190, 2.482),
}


@pytest.mark.parametrize("name", REAL)
def test_real_images(name, real_images):
    images, labels = real_images(name)
    found = lcrjax.measure(images, labels)
    mean, *gamma, alpha = REAL[name]
    np.testing.assert_allclose(found.dataset_level["gamma"], gamma, atol=6e-4)
    np.testing.assert_allclose(found.dataset_level["alpha"][0], alpha, atol=6e-4)
    weights = np.full(len(images), 1 / len(images), "f4")
    np.testing.assert_allclose(np.mean(lcrjax.ordinariness(images, weights)), mean, atol=6e-4)


IMAGES = np.zeros((4, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, [0, 1, 0], "there are 4 images and 3 labels"),
        (IMAGES, np.full((4, 2), "a"), r"labels have shape \(4, 2\)"),
        (IMAGES, np.zeros((4, 2)), r"4 of 4 images have no label \(0, 1, 2, 3\): leave them out"),
        (IMAGES, [[1, 0], [0, 0], [1, 1], [0, 0]], r"2 of 4 images have no label \(1, 3\)"),
        (IMAGES, [[1, 0], [1, 0], [1, 0], [1, 0]], "class '1' is empty: leave it out"),
        (IMAGES, [[1, 0], [0, 2], [1, 1], [0, 1]], r"labels hold 2 at \(1, 1\): give one label"),
        (IMAGES, [[1, 0], [0, 1], [1, None], [0, 1]], r"labels lack 1 of 8 values, first at \(2"),
        (IMAGES, pd.DataFrame(np.eye(4)[:, [0, 1, 2, 3]], columns=[*"abca"]), "4 columns and 3"),
        (IMAGES[:3], np.eye(4), "there are 3 images and 4 labels"),
        (IMAGES, [0, 1.5, 0, 1], "labels hold 1.5"),
        (IMAGES, [0, np.nan, 0, 1], "labels lack 1 of 4 values, first at 1"),
        (IMAGES[:0], [], r"labels have shape \(0,\)"),
        (IMAGES.astype(np.int64), [0, 1, 0, 1], "dtype int64"),
        (IMAGES + 1.5, [0, 1, 0, 1], "range from 1.5 to 1.5"),
        (IMAGES - 0.5, [0, 1, 0, 1], "range from -0.5"),
        (IMAGES + np.nan, [0, 1, 0, 1], "NaN"),
        (np.zeros(4), [0, 1, 0, 1], r"shape \(4,\)"),
        (np.array(["a"] * 4)[:, None], [0, 1, 0, 1], "rows with text in them: give a sim"),
    ],
)
def test_bad_images_and_labels_are_named(images, labels, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.measure(images, labels)


VECTORS = np.random.default_rng(1).normal(size=(9, 3)).astype("f4")
CLASSES = np.array([0, 2, 1, 0, 1, 2, 2, 0, 1])


def of_classes(vectors, labels, **options):
    found = lcrjax.measure(vectors, labels, similarity=lcrjax.Gaussian(), **options)
    return found.class_level, found.dataset_level, found.class_balance


def test_an_image_with_several_labels_counts_in_each_with_its_share():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 4, 4), dtype=np.uint8)
    matrix = (rng.uniform(size=(12, 3)) < 0.6).astype(int)
    matrix[~matrix.any(axis=1), 1] = 1
    assert (matrix.sum(axis=1) > 1).any()
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    wanted = lcrjax.diversity(shares, lcrjax.RMSD(), q=(0, 1, np.inf), elements=images)
    # The definition of A at q = 1, in float64.
    z = np.exp(-np.sqrt(((images[:, None] / 255 - images[None] / 255) ** 2).mean((2, 3))))
    p = shares / 12
    alpha = np.exp(-np.sum(p * np.log(z @ p)))
    np.testing.assert_allclose(wanted.dataset_level["alpha"][1], alpha, rtol=1e-5)
    named = pd.DataFrame(matrix.astype(bool), columns=["cat", "dog", "owl"])
    for labels in (matrix, matrix.astype(float).tolist(), named):
        found = lcrjax.measure(images, labels)
        assert found.class_names == (("cat", "dog", "owl") if labels is named else (*"012",))
        for name in MEASURES:
            np.testing.assert_array_equal(found.class_level[name], wanted.class_level[name])
            np.testing.assert_array_equal(found.dataset_level[name], wanted.dataset_level[name])
    assert lcrjax.measure(images, matrix, class_names=[*"abc"]).class_names == (*"abc",)
    with pytest.raises(ValueError, match="several labels, which are not resampled"):
        lcrjax.measure(images, matrix, resampling=lcrjax.Bootstrap())


def test_one_label_each_in_a_matrix_is_a_plain_label():
    one_hot = np.eye(3)[CLASSES]
    jax.tree.map(
        np.testing.assert_array_equal, of_classes(VECTORS, one_hot), of_classes(VECTORS, CLASSES)
    )
    by_shares = lcrjax.diversity(one_hot, lcrjax.Gaussian(), q=(0, 1, np.inf), elements=VECTORS)
    found = of_classes(VECTORS, one_hot)[1]
    for name in MEASURES:
        np.testing.assert_allclose(found[name], by_shares.dataset_level[name], rtol=1e-5)


def together(package):
    """A stand-in for what a package hands images and labels over in."""

    class Pairs:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return IMAGES[i], 0

    return type("Loader", (type("Base", (Pairs,), {"__module__": package}),), {})()


@pytest.mark.parametrize("similarity", [None, "cosine", "gaussian:median"])
def test_loaders_are_refused_in_one_sentence(similarity):
    import datasets

    table = datasets.Dataset.from_dict({"x": [[1.0], [2]], "y": [0, 1]})
    torch = "torch.utils.data"
    items = "images, labels = zip(*items)"
    batches = "images, labels = map(numpy.concatenate, zip(*batches))"
    apart = "give images and labels apart, by"
    columns = "of datasets: give two of its columns, such as data['image'] and data['label'], or"
    for given, sentence in (
        (together(f"{torch}.dataset"), f"are a Loader of {torch}: {apart} {items}"),
        (together(f"{torch}.dataloader"), f"are a Loader of {torch}.dataloader: {apart} {batches}"),
        (table, f"are a Dataset {columns}"),
        (datasets.DatasetDict({"train": table}), f"are a DatasetDict {columns}"),
        (table.to_iterable_dataset(), f"are a IterableDataset {columns}"),
        ((image for image in IMAGES), "are a generator, which can be read only once: give a list"),
        (
            zip(IMAGES, range(4), strict=True),
            f"of pairs by {items}, of pairs of batches by {batches}",
        ),
        (list(zip(IMAGES, range(4), strict=True)), f"are pairs of unlike things: {apart} {items}"),
    ):
        sentence = re.escape(sentence)
        with pytest.raises(ValueError, match=sentence):
            lcrjax.measure(given, [0, 1, 0, 1], similarity=similarity)
        with pytest.raises(ValueError, match=f"labels.*{sentence}"):
            lcrjax.measure(IMAGES, given, similarity=similarity)
    for word in ("edit", "gower"):
        with pytest.raises(ValueError, match=r"are a Loader of torch\.utils\.data: give images"):
            lcrjax.measure(together("torch.utils.data"), [0, 1, 0, 1], similarity=word)
    columns = lcrjax.measure(table["x"], table["y"], similarity=lcrjax.Gaussian())
    wanted = lcrjax.measure(np.array([[1.0], [2]]), [0, 1], similarity=lcrjax.Gaussian())
    np.testing.assert_array_equal(columns.class_level["alpha"], wanted.class_level["alpha"])


def test_items_and_batches_taken_apart_as_the_sentences_say():
    images, classes = np.arange(36, dtype=np.uint8).reshape(9, 2, 2) * 7, CLASSES
    items = list(zip(images, classes.tolist(), strict=True))
    batches = [(images[i : i + 4], classes[i : i + 4]) for i in (0, 4, 8)]
    wanted = lcrjax.measure(images, classes).class_level["rho"]
    for parts in (zip(*items, strict=True), map(np.concatenate, zip(*batches, strict=True))):
        own, labels = parts
        np.testing.assert_array_equal(lcrjax.measure(own, labels).class_level["rho"], wanted)


def test_labels_may_be_traced():
    wanted = of_classes(VECTORS, CLASSES)
    traced = jax.jit(lambda x, y: of_classes(x, y, n_classes=3))(VECTORS, CLASSES)
    hand = of_classes(VECTORS, CLASSES[:, None], n_classes=3)
    for given in (traced, hand):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5), given, wanted)
    assert lcrjax.measure(IMAGES, [1, 0, 1, 0], n_classes=2).class_names == ("0", "1")


def test_subsets_of_labels_are_mapped_over_and_differentiated():
    subsets = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 1, 0, 5]])

    def alpha(vectors, labels):
        return of_classes(vectors, labels, n_classes=3, q=1)[1]["alpha"][0]

    vectors, labels = jnp.asarray(VECTORS), jnp.asarray(CLASSES)

    @jax.jit
    @jax.vmap
    def each(rows):
        return jax.value_and_grad(alpha)(vectors[rows], labels[rows])

    values, slopes = each(jnp.asarray(subsets))
    for rows, value, slope in zip(subsets, values, slopes, strict=True):
        x, y, step = VECTORS[rows].astype(float), CLASSES[rows], np.zeros((4, 3))
        np.testing.assert_allclose(value, exact_alpha(x, y), rtol=1e-5)
        step[1, 2] = 1e-5
        rise = (exact_alpha(x + step, y) - exact_alpha(x - step, y)) / 2e-5
        np.testing.assert_allclose(slope[1, 2], rise, rtol=1e-3)


def exact_alpha(x, labels):
    """The definition of A at q = 1, in float64; classes that are absent count nowhere."""
    z = np.exp(-((x[:, None] - x[None]) ** 2).sum(-1) / 2)
    own = (z * (labels[:, None] == labels[None])).mean(axis=1)
    return np.exp(-np.log(own).mean())


def test_classes_that_are_empty_have_no_number():
    labels = np.where(CLASSES == 1, 0, CLASSES)
    wanted, found = of_classes(VECTORS, labels), of_classes(VECTORS, labels, n_classes=4)
    for name in MEASURES:
        np.testing.assert_allclose(found[0][name][:, [0, 2]], wanted[0][name], rtol=2e-5)
        assert np.isnan(found[0][name][:, [1, 3]]).all()
        np.testing.assert_allclose(found[1][name], wanted[1][name], rtol=2e-5)


def test_traced_labels_need_the_number_of_classes():
    with pytest.raises(ValueError, match=r"labels are traced.*: give integers .*n_classes=C"):
        jax.jit(of_classes)(VECTORS, CLASSES)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (CLASSES + 1, "labels run from 1 to 3: with n_classes=3 they lie in 0..2"),
        (CLASSES - 1, "labels run from -1 to 1: with n_classes=3 they lie in 0..2"),
        (CLASSES.astype(float), "labels have dtype float64: with n_classes give integers"),
        (CLASSES.astype(str), "labels have dtype <U21: with n_classes give integers"),
    ],
)
def test_labels_that_number_no_classes(labels, message):
    with pytest.raises(ValueError, match=message):
        of_classes(VECTORS, labels, n_classes=3)


def test_wide_labels_are_told_apart():
    hashes = np.where(CLASSES == 1, 1, np.where(CLASSES == 2, 2**32 + 1, 2**63 - 1))
    jax.tree.map(
        np.testing.assert_array_equal,
        of_classes(VECTORS, hashes),
        of_classes(VECTORS, np.array([2, 0, 1])[CLASSES]),
    )


def test_classes_come_in_natural_order():
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    found = lcrjax.measure(images, ["b10", "b9", "a", "b10"], q=0)
    assert found.class_names == ("a", "b9", "b10")
    alone = [lcrjax.measure(images[[i]], ["x"], q=0).class_level["alpha"][0, 0] * 4 for i in (2, 1)]
    np.testing.assert_allclose(found.class_level["alpha"][0, :2], alone, rtol=1e-6)
    assert lcrjax.measure(images, [10, -1, 9, 2], q=0).class_names == ("-1", "2", "9", "10")


def test_what_streams_do_not_go_with(rng):
    x, y = rng.random((30, 4)).astype("f4"), np.arange(30) % 2
    stream, several = lcrjax.Stream([x]), np.ones((30, 2))
    for labels, options in ((y, {"resampling": lcrjax.Bootstrap()}), (several, {})):
        with pytest.raises(ValueError, match="images are read in blocks: leave out mesh and resam"):
            lcrjax.measure(stream, labels, **options)
    with pytest.raises(ValueError, match="there are 30 images and 29 labels: give one each"):
        lcrjax.measure(stream, y[1:])
    with pytest.raises(ValueError, match="the float pixels of the images range from"):
        lcrjax.measure(lcrjax.Stream([x, x * 2]), np.tile(y, 2))
    with pytest.raises(ValueError, match="are a Stream, of which no test set is held out"):
        from_arrays("stream", stream, y)
    with pytest.raises(
        ValueError, match="a Levenshtein is not computed block by block: give a sim"
    ):
        lcrjax.measure(["a", "b"], [0, 1], similarity="edit", checkpoint="none")
