"""Two datasets side by side: by hand, against brute force in float64, its laws, its refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lcrjax
from lcrjax.data import Dataset, Split
from lcrjax.selection import Predictor, Row, compare
from tests.reference import plain_power_mean

Q = (0, 1, np.inf)
FORMS = {"a": 12, "b": 10, "target": 9}


def images(name, classes=3, seed=0):
    """Some bytes of one shape; each class is present."""
    rng = np.random.default_rng([seed, len(name), FORMS[name]])
    labels = rng.permutation(np.arange(FORMS[name]) % classes)
    return rng.integers(0, 256, (FORMS[name], 2, 2), dtype=np.uint8), labels


def kernel(x, y, scale):
    """Z in float64, by its definition."""
    x, y = (np.asarray(v, np.float64).reshape(len(v), -1) / 255 for v in (x, y))
    return np.exp(-scale * np.sqrt(((x[:, None] - y[None]) ** 2).mean(-1)))


@pytest.fixture(scope="module")
def three():
    return {name: images(name) for name in FORMS}


@pytest.fixture(scope="module")
def found(three):
    return compare(*three.values(), q=Q)


def test_every_measure_is_that_of_the_library(three, found):
    for letter in "ab":
        own = lcrjax.measure(*three[letter], q=Q)
        for i, q in enumerate(Q):
            for name in own.dataset_level:
                row, value = found.row(name, q), float(own.dataset_level[name][i])
                assert getattr(row, letter) == pytest.approx(value, abs=1e-6, nan_ok=True)
                value = float(own.class_level[name][i, 1])
                assert getattr(found.row(name, q, "1"), letter) == pytest.approx(value, abs=1e-6)
            balance = float(own.class_balance[i])
            assert getattr(found.row("class_balance", q), letter) == pytest.approx(balance)
    assert found.row("size")[4:7] == (12, 10, -2)


def test_what_is_new_in_each_is_what_the_definitions_say(three, found):
    (x, labels), (y, its) = three["a"], three["b"]
    for level in ("dataset", "2"):
        whole = level == "dataset"
        u, v = (x, y) if whole else (x[labels == 2], y[its == 2])
        for side, (own, other) in (("a", (u, v)), ("b", (v, u))):
            zp, zr = (kernel(own, z, 1).mean(axis=1) for z in (own, other))
            even = np.ones(len(own))
            for q in Q:
                relative = plain_power_mean(q - 1, even, zp / zr)
                cross = plain_power_mean(1 - q, even, 1 / zr)
                got = getattr(found.row("relative_diversity", q, level), side)
                assert got == pytest.approx(relative, rel=3e-6)
                got = getattr(found.row("cross_diversity", q, level), side)
                assert got == pytest.approx(cross, rel=3e-6)
            near = kernel(own, other, 10).max(axis=1).mean()
            row = found.row("nearest_similarity", level=level)
            assert getattr(row, side) == pytest.approx(near, abs=3e-6)


def test_a_target_is_represented_as_the_definitions_say(three, found):
    target, wanted = three["target"]
    rows = {r.name: r for r in found.rows if r.part == "target"}
    for side in "ab":
        x, labels = three[side]
        z = kernel(target, x, 10)
        own = [z[i, labels == c].mean() for i, c in enumerate(wanted)]
        right = labels[z.argmax(axis=1)] == wanted
        bacc = np.mean([right[wanted == c].mean() for c in range(3)])
        within = kernel(target, target, 10).mean() + kernel(x, x, 10).mean()
        expected = {
            "ordinariness": z.mean(),
            "own_ordinariness": np.mean(own),
            "largest_similarity": z.max(axis=1).mean(),
            "neighbour_bacc": bacc,
            "mmd": np.sqrt(within - 2 * z.mean()),
            "near_duplicates": 0,
        }
        assert {n: getattr(r, side) for n, r in rows.items()} == pytest.approx(expected, rel=1e-5)
    near = {side: kernel(target, three[side][0], 10).max(axis=1) for side in "ab"}
    steps, row = near["b"] - near["a"], rows["largest_similarity"]
    # The standard error of a mean over three strata, each drawn again: half of the 95 % interval.
    error = np.sqrt(sum(steps[wanted == c].var() * np.sum(wanted == c) for c in range(3))) / 9
    assert (row.upper - row.lower) / 2 == pytest.approx(1.96 * error, rel=0.25)
    assert row.lower < row.difference < row.upper


def test_by_hand():
    """Two greys apart, and the same two with one between them; a step of 100 halves likeness."""

    def greys(*values):
        return np.full((2, 2, len(values)), values, np.uint8).T

    similarity = lcrjax.RMSD(np.log(2) * 255 / 100)
    far, three = (greys(0, 200), ["x", "y"]), (greys(0, 100, 200), ["x", "x", "y"])
    result = compare(far, three, greys(100), similarity=similarity, q=1, resampling=None)
    assert result.row("gamma", 1).a == pytest.approx(1 / 0.625)
    # Zp of three: 7/12, 2/3, 7/12; seen from two: 5/8, 1/2, 5/8.
    assert result.row("relative_diversity", 1).b == pytest.approx(
        np.exp((2 * np.log(14 / 15) + np.log(4 / 3)) / 3), rel=1e-6
    )
    assert result.row("cross_diversity", 1).a == pytest.approx(12 / 7)
    rows = {r.name: (r.a, r.b) for r in result.rows if r.part == "target"}
    assert rows["largest_similarity"] == pytest.approx((0.5, 1))
    assert rows["ordinariness"] == pytest.approx((0.5, 2 / 3))
    # 1 + 5/8 - 2/2, and 1 + 11/18 - 4/3
    assert rows["mmd"] == pytest.approx((np.sqrt(5 / 8), np.sqrt(5 / 18)), rel=1e-5)
    assert "target has no labels" in " ".join(result.notes)
    assert "not known" in result.verdict.said
    assert result.verdict.probability is None


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_a_comparison_mirrors_and_nothing_differs_from_itself(seed):
    a, b, target = (images(name, seed=seed) for name in FORMS)
    there, back = (compare(*p, target, q=(1,), resampling=None) for p in ((a, b), (b, a)))
    for row, mirrored in zip(there.rows, back.rows, strict=True):
        assert row[:4] == mirrored[:4]
        assert (row.a, row.b) == pytest.approx((mirrored.b, mirrored.a), rel=1e-6, nan_ok=True)
        assert row.difference == pytest.approx(-mirrored.difference, abs=1e-5, nan_ok=True)
    assert there.near.threshold == back.near.threshold
    pairs = set(zip(there.near.first.tolist(), there.near.second.tolist(), strict=True))
    assert pairs == set(zip(back.near.second.tolist(), back.near.first.tolist(), strict=True))
    same = compare(a, a, target, q=(1,), resampling=None)
    assert {r.difference for r in same.rows if not np.isnan(r.a)} == {0.0}
    for name in ("relative_diversity", "nearest_similarity"):
        assert {r.a for r in same.rows if r.name == name} == {1.0}
    assert len(same.near) >= FORMS["a"]


def test_intervals_hold_the_difference_of_two_samples_of_one_source():
    rng = np.random.default_rng(1)
    a, b = ((rng.integers(0, 256, (30, 2, 2), np.uint8), np.arange(30) % 3) for _ in "ab")
    found = compare(a, b)
    for name in ("alpha", "gamma", "normalized_rho"):
        row = found.row(name, 1)
        assert row.lower < 0 < row.upper
        assert row.upper - row.lower < row.a
    assert found.row("class_balance", 1).lower is None
    small = compare(a, b, resampling=lcrjax.Subsets(15, count=200))
    assert small.row("gamma", 1).a < found.row("gamma", 1).a
    assert "random subsets of 15 elements" in " ".join(small.notes)


def test_near_duplicates_between_both_and_with_the_target(three):
    (x, labels), (y, its), (z, wanted) = (
        tuple(map(np.copy, three[name])) for name in ("a", "b", "target")
    )
    y[4], z[2], z[3] = x[7], x[0], x[0]
    found = compare((x, labels), (y, 1 - its % 2), (z, wanted), q=(1,), resampling=None)
    assert (found.near.first.tolist(), found.near.second.tolist()) == ([7], [4])
    assert found.near.across[0] == (labels[7] != 1 - its[4] % 2)
    assert found.row("near_duplicates")[4:7] == (2, 0, -2)


def test_classes_that_one_side_lacks_are_named_and_left_out(three):
    x, labels = three["a"]
    words = np.array(["cat", "dog", "owl"])
    data = Dataset("pets", Split(x, labels), None, tuple(words))
    y, its = three["b"]
    less = y[its != 2], words[its[its != 2]]
    z, wanted = three["target"]
    found = compare(data, less, (z, np.array(["cat", "dog", "yak"])[wanted]), q=(1,))
    said = " ".join(found.notes)
    assert "b lacks the class owl of pets." in said
    assert "b lacks the class yak of target." in said
    assert "No side has yak of target: balanced accuracy is over its other 2 classes" in said
    assert {r.level for r in found.rows} == {"dataset", "cat", "dog"}
    assert 0 <= found.row("neighbour_bacc").b <= 1


def test_a_predictor_gives_the_verdict(three):
    class Larger:
        def probability(self, comparison):
            return 0.75 if comparison.row("size").difference > 0 else 0.2

    assert isinstance(Larger(), Predictor)
    a, b = three["a"], three["b"]
    verdict = compare(a, b, q=(1,), resampling=None, predictor=Larger()).verdict
    assert (verdict.better, verdict.probability) == ("a", 0.8)
    assert "a is predicted to make the better model, with a probability of 80 %" in verdict.said
    assert compare(b, a, q=(1,), resampling=None, predictor=Larger()).verdict.better == "b"
    with pytest.raises(ValueError, match="the predictor is a int: give an object with a method"):
        compare(a, b, predictor=3)
    wrong = type("Wrong", (), {"probability": lambda self, comparison: 7})()
    with pytest.raises(ValueError, match="its probability must lie from 0 to 1"):
        compare(a, b, q=(1,), resampling=None, predictor=wrong)


def test_texts_and_rows(three):
    texts = ["one two", "two three", "four"], ["x", "x", "y"]
    found = compare(texts, texts, ["one three"], q=(1,), resampling=None)
    assert set(zip(found.near.first.tolist(), found.near.second.tolist(), strict=True)) >= {
        (i, i) for i in range(3)
    }
    assert found.row("relative_diversity", 1).a == 1
    rows = pd.DataFrame({"age": [1.0, 2.0, 9.0], "kind": ["u", "v", "u"]})
    wider = rows.assign(age=rows["age"] * 3)
    found = compare((rows, [0, 0, 1]), (wider, [0, 0, 1]), rows, q=(1,), resampling=None)
    # Ranges are those of both: ages 1 and 9 differ by 8 of 26.
    alike = lcrjax.measure(rows, [0, 0, 1], similarity=lcrjax.Gower.of(pd.concat([rows, wider])))
    assert found.row("gamma", 1).a == pytest.approx(float(alike.dataset_level["gamma"][1]))
    near = found.row("largest_similarity")
    # By hand: 1 to 3, 2 to 6 and 9 to 3 of 26, and the same kind.
    assert (near.a, near.b) == pytest.approx((1, np.mean([1 - x / 52 for x in (2, 4, 6)])))


def test_shares_of_every_step_rise_to_one(three):
    told = {}
    compare(
        *three.values(), q=Q, progress=lambda step, share: told.setdefault(step, []).append(share)
    )
    assert len(told) == 5
    for step, shares in told.items():
        assert shares == sorted(shares)
        assert shares[-1] == 1 or "target" in step  # whose parts tell no shares


def test_the_same_images_as_bytes_and_as_floats(three):
    x, labels = three["a"]
    floats = x.astype(np.float32) / np.float32(255), labels
    found = compare((x, labels), floats, q=(1,), resampling=None)
    assert found.row("relative_diversity", 1).a == pytest.approx(1, abs=1e-6)
    words = compare((x, labels), floats, q=(1,), resampling=None, similarity="gaussian:0.5")
    assert words.row("gamma", 1).difference == pytest.approx(0, abs=1e-6)


def lopsided(x, y):
    return 1.0 if x[0] <= y[0] else 0.5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"b": (np.zeros((3, 4, 4), np.uint8), [0, 1, 2])},
            r"those of b \(4, 4\): resize them",
        ),
        ({"b": (np.zeros((3, 4)), [0, 1, 2])}, "a holds images and b vectors: give one kind"),
        ({"b": np.zeros((3, 2, 2))}, "b has no labels: give a Dataset, or a tuple"),
        ({"b": (np.zeros((3, 2, 2)), None)}, "b has no labels"),
        ({"b": (np.zeros((3, 2, 2)), [0, 1])}, "b has 3 elements and 2 labels: give one each"),
        ({"b": (np.zeros((0, 2, 2)), [])}, "b is empty: give one element"),
        ({"b": (np.full((3, 2, 2), 7.0), [0, 1, 2])}, r"must lie in \[0, 1\]"),
        ({"b": (np.zeros((3, 2, 2)), [5, 6, 7])}, "a and b have no class in common"),
        ({"target": (np.zeros((1, 2, 2)), ["z"])}, "target and a have no class in common"),
        ({"similarity": "cosign"}, "did you mean 'cosine'"),
        ({"similarity": "edit"}, "compares texts, no images"),
        ({"similarity": np.eye(12)}, "a matrix of similarities knows its own elements alone"),
        ({"q": -1}, "viewpoints lie in"),
        ({"resampling": "dear"}, "resampling is 'dear'"),
    ],
)
def test_bad_input_is_one_clear_sentence(three, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        compare(**{**three, **change})


def test_a_target_needs_a_symmetric_similarity():
    points = np.array([[0.0], [1.0], [2.0]]), [0, 1, 0]
    one_way = lcrjax.PythonFunction(lopsided, is_symmetric=False)
    with pytest.raises(ValueError, match="the similarity is not symmetric"):
        compare(points, points, points, similarity=one_way)
    frame = pd.DataFrame({"u": [1.0]}), [0]
    with pytest.raises(ValueError, match="a has the columns u and b v: give the same"):
        compare(frame, (frame[0].rename(columns={"u": "v"}), [0]))


def test_the_table_and_its_words(found):
    frame = found.to_frame()
    assert list(frame.columns) == [*Row._fields]
    assert frame["lower"].dtype == np.float64
    assert len(frame) == len(found.rows)
    assert "Comparison of a (12) and b (10)" in repr(found)
    with pytest.raises(ValueError, match="there is no 'omega' at q = 1"):
        found.row("omega", 1)
