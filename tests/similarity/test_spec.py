import numpy as np
import pytest

from lcrjax.similarity import RMSD, Cosine, Gaussian, Laplacian, Matern32, Matern52
from lcrjax.similarity.spec import FORMS, parse_similarity, pixels_for


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
