import numpy as np
import pytest

import lcrjax
from lcrjax.numerics.streams import Stream
from lcrjax.similarity import (
    RMSD,
    Cosine,
    Gaussian,
    Gower,
    Laplacian,
    Levenshtein,
    Matern32,
    Matern52,
    NGrams,
    median_distance,
    parse_similarity,
)
from lcrjax.similarity.spec import (
    FORMS,
    USUAL,
    check_similarity,
    describe_similarity,
    pixels_for,
)


@pytest.mark.parametrize(
    ("text", "similarity"),
    [
        ("rmsd", RMSD()),
        (" rmsd:10 ", RMSD(10.0)),
        ("cosine", Cosine()),
        ("gaussian:2.5", Gaussian(2.5)),
        ("laplacian:1e-2", Laplacian(0.01)),
        ("matern32:3", Matern32(3.0)),
        ("matern52:3", Matern52(3.0)),
        ("edit", Levenshtein()),
        ("ngram", NGrams(3)),
        ("ngram:5", NGrams(5)),
        ("gower", Gower()),
    ],
)
def test_a_word_is_a_similarity(text, similarity):
    assert parse_similarity(text) == similarity


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gausian:2", "did you mean 'gaussian'"),
        ("RMSD", "did you mean 'rmsd'"),
        ("zzz", f"no similarity 'zzz': known are {', '.join(FORMS)}".replace("[", r"\[")),
        ("", "no similarity ''"),
        ("gaussian", "write gaussian:LENGTH, a number above 0"),
        ("rmsd:", r"write rmsd\[:SCALE\], a number above 0"),
        ("rmsd:-1", "the similarity is 'rmsd:-1': write"),
        ("rmsd:inf", "above 0"),
        ("rmsd:nan", "above 0"),
        ("rmsd:ten", "above 0"),
        ("cosine:1", "write cosine$"),
        ("edt", "did you mean 'edit'"),
        ("grower", "did you mean 'gower'"),
        ("ngram:0", "a whole number above 0"),
        ("ngram:2.5", "a whole number above 0"),
        ("gaussian:-1median", "a multiple of the median distance, such as 0.5median"),
        ("gaussian:mean", "a multiple of the median distance"),
        ("rmsd:median", r"write rmsd\[:SCALE\], a number above 0$"),
        ("gaussian:median", "the median needs elements"),
        ("file:none.npy", "none.npy is no"),
    ],
)
def test_what_is_none_is_explained(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_similarity(text)


def test_a_length_means_the_same_for_bytes_and_floats():
    images = np.array([[[0, 255], [51, 102]]], np.uint8)
    floats = pixels_for(Gaussian(2.0), images)
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, images / 255, rtol=1e-7)
    assert pixels_for(Gaussian(2.0), floats) is floats
    assert pixels_for(RMSD(), images) is images  # whose exact integers RMSD wants


def test_a_median_of_what_is_not_finite(rng):
    x = rng.normal(size=(50, 3)).astype("f4")
    x[[20, 40], 1] = np.nan, np.inf
    for given in (x, Stream([x[:15], x[15:]])):
        with pytest.raises(
            ValueError, match=r"hold NaN or infinity, first at \(20, 1\): remove it"
        ):
            median_distance(given)


def test_a_median_is_that_of_all_pairs(rng):
    x = rng.normal(loc=50, size=(40, 3)).astype("f4")
    apart = np.linalg.norm(x[:, None].astype(float) - x[None], axis=2)[np.triu_indices(40, 1)]
    assert median_distance(x) == pytest.approx(np.median(apart), rel=1e-6)
    for word, kernel, share in (
        ("gaussian:median", Gaussian, 1),
        ("laplacian:0.5median", Laplacian, 0.5),
    ):
        found = parse_similarity(word, x)
        assert isinstance(found, kernel)
        assert float(found.length) == pytest.approx(share * np.median(apart), rel=1e-6)
    assert median_distance(x, sample=10) != median_distance(x)
    assert median_distance(x, sample=10) == median_distance(x, sample=10)
    assert median_distance(x[:1]) == 1


def test_a_median_of_zero_is_refused():
    with pytest.raises(ValueError, match="the median distance of two elements is 0: give a length"):
        median_distance(np.ones((5, 2)))


@pytest.mark.parametrize("word", ["rmsd:10", "cosine", "gaussian:2", "laplacian:0.5median"])
def test_words_mean_the_same_wherever_a_similarity_is_taken(word, rng):
    x, labels = rng.random((20, 4)).astype("f4"), np.arange(20) % 2
    kernel, weights = parse_similarity(word, x), np.full(20, 0.05, "f4")
    wanted = lcrjax.ordinariness(x, weights, kernel)
    np.testing.assert_array_equal(lcrjax.ordinariness(x, weights, word), wanted)
    for one, other in (
        (lcrjax.measure(x, labels, similarity=s, q=1) for s in (word, kernel)),
        (lcrjax.diversity(labels + 1, s, q=1, elements=x) for s in (word, kernel)),
    ):
        assert one.to_frame().equals(other.to_frame())
    assert float(lcrjax.vendi_score(x, word)) == float(lcrjax.vendi_score(x, kernel))
    p, r = labels, 1 - labels
    for divergence in (lcrjax.relative_diversity, lcrjax.cross_diversity):
        assert float(divergence(p, r, word, 1, elements=x)) == float(
            divergence(p, r, kernel, 1, elements=x)
        )


def test_a_word_takes_images_of_bytes_from_0_to_1(rng):
    images = rng.integers(0, 256, (6, 3, 3), np.uint8)
    weights = np.full(6, 1 / 6, "f4")
    wanted = lcrjax.ordinariness(images / np.float32(255), weights, Gaussian(0.7))
    for given in (images, list(images)):
        found = lcrjax.ordinariness(given, weights, "gaussian:0.7")
        np.testing.assert_array_equal(found, wanted)
    vectors = images.reshape(6, 9)
    found = lcrjax.ordinariness(vectors, weights, "gaussian:90")
    np.testing.assert_array_equal(found, lcrjax.ordinariness(vectors, weights, Gaussian(90)))


def test_a_file_is_a_word(tmp_path, rng):
    z = np.maximum(rng.random((5, 5)), np.eye(5))
    np.save(tmp_path / "Z.npy", z)
    found = lcrjax.measure(list("abcde"), [0, 0, 1, 1, 1], similarity=f"file:{tmp_path / 'Z.npy'}")
    wanted = lcrjax.measure(list("abcde"), [0, 0, 1, 1, 1], similarity=z)
    assert found.to_frame().equals(wanted.to_frame())


def test_a_sparse_file_is_a_word(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    z = np.eye(4) + np.eye(4, k=1) / 2 + np.eye(4, k=-1) / 2
    sparse.save_npz(tmp_path / "Z.npz", sparse.csr_array(z))
    weights = np.full(4, 0.25, "f4")
    found = lcrjax.ordinariness(list("abcd"), weights, f"file:{tmp_path / 'Z.npz'}")
    np.testing.assert_allclose(found, z @ weights, rtol=1e-6)


def test_words_fit_kinds_of_elements():
    for kind, word in USUAL.items():
        check_similarity(word, kind)
    check_similarity("gaussian:median", "vectors")
    check_similarity("file:none.npy", "texts")
    with pytest.raises(ValueError, match="'edit' compares texts, no images: give rmsd"):
        check_similarity("edit", "images")
    with pytest.raises(ValueError, match="compares images or vectors, no rows: give gower, file"):
        check_similarity("cosine", "rows")


@pytest.mark.parametrize(
    ("word", "kind", "sentence"),
    [
        ("rmsd", "images", "exp(−s · RMSD) of images, s = 1"),
        ("cosine", "vectors", "cosine of vectors"),
        ("gaussian:2", "vectors", "Gaussian of the distance of vectors, length 2"),
        (
            "laplacian:0.5median",
            "vectors",
            "exponential of the distance of vectors, length 1 (0.5median of a sample of at most "
            "2,000)",
        ),
        ("ngram:4", "texts", "cosine of character n-grams of texts, n = 4"),
        ("gower", "rows", "Gower's similarity of rows"),
    ],
)
def test_words_are_told(word, kind, sentence):
    found = parse_similarity(word, np.array([[0.0], [2.0]]))
    assert describe_similarity(word, found, kind) == sentence
