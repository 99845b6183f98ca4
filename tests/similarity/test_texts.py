from collections import Counter

import numpy as np
import pytest

import lcrjax

WORDS = ["diversity", "university", "Density", "", "cat", "naïve", "cat", "a", "ab", "ab", "𝔸b"]


def edits(x, y):
    """Levenshtein's distance by its recurrence."""
    row = list(range(len(y) + 1))
    for i, a in enumerate(x, 1):
        before, row = row, [i]
        for j, b in enumerate(y, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


def edit_similarity(x, y):
    return 1 - edits(x, y) / max(len(x), len(y), 1)


def runs(text, n):
    framed = f" {text} "
    return Counter(framed[i : i + n] for i in range(len(framed) - n + 1)) or Counter([framed])


def run_cosine(x, y, n):
    a, b = runs(x, n), runs(y, n)
    lengths = [np.sqrt(sum(k * k for k in counts.values())) for counts in (a, b)]
    return sum(a[run] * b[run] for run in a) / np.prod(lengths)


def table(function, rows, columns, *given):
    return np.array([[function(x, y, *given) for y in columns] for x in rows])


def test_edit_similarity_equals_the_recurrence(rng, monkeypatch):
    monkeypatch.setattr(lcrjax.similarity.texts, "_PAIRS_AT_ONCE", 30)  # blocks of two rows
    weights = rng.random((len(WORDS), 2)).astype("f4")
    z = table(edit_similarity, WORDS, WORDS)
    found = lcrjax.ordinariness(WORDS, weights, lcrjax.Levenshtein())
    np.testing.assert_allclose(found, z @ weights, rtol=2e-6)
    others = ["diverse", "", "cats"]
    z = table(edit_similarity, WORDS, others)
    found = lcrjax.ordinariness(WORDS, weights[:3], "edit", others=others)
    np.testing.assert_allclose(found, z @ weights[:3], rtol=2e-6)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_n_grams_equal_those_counted_one_by_one(rng, n, monkeypatch):
    monkeypatch.setattr(lcrjax.similarity.texts, "_PAIRS_AT_ONCE", 30)  # a column at a time
    weights = rng.random((len(WORDS), 3)).astype("f4")
    z = table(run_cosine, WORDS, WORDS, n)
    found = lcrjax.ordinariness(WORDS, weights, lcrjax.NGrams(n))
    np.testing.assert_allclose(found, z @ weights, rtol=2e-6)
    others = ["diverse", "", "cats"]
    z = table(run_cosine, WORDS, others, n)
    found = lcrjax.ordinariness(WORDS, weights[:3], f"ngram:{n}", others=others)
    np.testing.assert_allclose(found, z @ weights[:3], rtol=2e-6)


@pytest.mark.parametrize("word", ["edit", "ngram"])
def test_texts_come_in_any_container(word):
    import pandas as pd

    weights = np.full(len(WORDS), 1 / len(WORDS), "f4")
    wanted = lcrjax.ordinariness(WORDS, weights, word)
    for given in (np.array(WORDS), np.array(WORDS, object), pd.Series(WORDS), tuple(WORDS)):
        np.testing.assert_array_equal(lcrjax.ordinariness(given, weights, word), wanted)


@pytest.mark.parametrize("word", ["edit", "ngram"])
@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["a", None], "hold no text at 1, which is missing"),
        (["a", float("nan")], "at 1, which is missing"),
        ([b"a", "b"], "at 0, which is a bytes"),
        (np.zeros((2, 3)), "at 0, which is a ndarray"),
        ("a text", "are one text: give a list"),
    ],
)
def test_what_is_no_text_is_refused(word, texts, sentence):
    with pytest.raises(ValueError, match=sentence):
        lcrjax.ordinariness(texts, [0.5, 0.5], word)


@pytest.mark.parametrize("n", [0, -1])
def test_runs_have_a_length(n):
    with pytest.raises(ValueError, match="whole number of characters"):
        lcrjax.NGrams(n)


def test_texts_have_diversities():
    labels = [0] * 6 + [1] * 5
    D = lcrjax.measure(WORDS, labels, similarity="edit", q=1)
    z = table(edit_similarity, WORDS, WORDS)
    gamma = np.exp(-np.mean(np.log(z.mean(axis=1))))
    assert float(D.dataset_level["gamma"][0]) == pytest.approx(gamma, rel=1e-5)
