"""What is measured without a similarity and is no image: the error names one, which then serves."""

import jax
import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.selection import contributions, maximum_diversity
from lcrjax.study import features

N = 6
LABELS = np.arange(N) % 2
VECTORS = np.linspace(-1, 4, N * 3, dtype=np.float32).reshape(N, 3)
TEXTS = ["a cat", "a cap", "a dog", "dogs", "cats", "no"]
TABLE = pd.DataFrame({"size": range(N), "colour": list("rgbrgb")})
CALLS = {
    "measure": lambda x: lcrjax.measure(x, LABELS),
    "rows": lambda x: lcrjax.measure(x, LABELS, rows=4),
    "resampling": lambda x: lcrjax.measure(x, LABELS, resampling=lcrjax.Bootstrap(2)),
    "contributions": lambda x: contributions(x, LABELS),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("elements", "said", "word"),
    [
        (VECTORS, r"range from -1 to 4 .* as uint8; of vectors give", "cosine"),
        (list(VECTORS), "range from -1 to 4", "cosine"),
        (np.rint(VECTORS).astype(int), r"dtype int64: .*; of vectors give", "cosine"),
        (pd.DataFrame(VECTORS), "range from -1 to 4 .*, of a table 'gower'$", "cosine"),
        (TEXTS, "^images are texts: give", "ngram"),
        (np.array(TEXTS), "images are texts", "ngram"),
        (pd.Series(TEXTS), "images are texts", "ngram"),
        (TABLE, "images are rows with text in them: give", "gower"),
    ],
)
def test_the_error_names_a_similarity_that_serves(elements, said, word, call):
    with pytest.raises(ValueError, match=said) as error:
        CALLS[call](elements)
    assert f"similarity={word!r}" in str(error.value)
    if call == "measure":
        lcrjax.measure(elements, LABELS, similarity=word)


def test_streams_too():
    with pytest.raises(ValueError, match="similarity='cosine'"):
        lcrjax.measure(lcrjax.Stream([VECTORS]), LABELS)


@pytest.mark.parametrize("call", [lambda x: lcrjax.ordinariness(x, np.ones(N)), maximum_diversity])
def test_numbers_need_be_no_pixels_elsewhere(call):
    with pytest.raises(ValueError, match=r"elements are texts: give .* similarity='ngram'"):
        call(TEXTS)
    call(np.eye(N, dtype=np.float32))


def test_features_of_subsets():
    with pytest.raises(ValueError, match="similarity='cosine'"):
        features(VECTORS, LABELS, [np.arange(N)])


@pytest.mark.parametrize(
    "images", [VECTORS.reshape(N, 3, 1), np.where(VECTORS > 3, np.nan, VECTORS)]
)
def test_errors_of_images_stay(images):
    """What has pixels side by side is no vector, and NaN is none of any similarity."""
    with pytest.raises(ValueError, match="pixels") as error:
        lcrjax.measure(images, LABELS)
    assert "similarity=" not in str(error.value)


def test_images_and_what_is_traced_pass():
    pixels = VECTORS.clip(0, 1)
    alone = lcrjax.ordinariness(pixels, np.ones(N))
    traced = jax.jit(lambda x: lcrjax.ordinariness(x, np.ones(N)))(pixels)
    np.testing.assert_allclose(traced, alone, rtol=1e-5)
    lcrjax.measure(pixels, LABELS)
