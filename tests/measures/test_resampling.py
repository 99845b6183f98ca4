import dataclasses

import jax
import numpy as np
import pytest

import lcrjax
from lcrjax.measures import resampling
from lcrjax.measures.family import MEASURES
from lcrjax.numerics.progress import telling

COUNTS = np.array([[5, 0, 2], [3, 1, 0], [0, 4, 1], [2, 2, 0], [7, 0, 0]])
Q = (0, 1, 2, np.inf)


def similarity():
    return np.exp(-np.abs(np.subtract.outer(range(5), range(5))) / 2)


def one_by_one(draws, z, entropy=False):
    """Every measure of each draw, classes in their places; NaN for those that a draw lacks."""
    rows = []
    for counts in draws:
        present = counts.any(axis=0)
        found = lcrjax.diversity(counts[:, present].astype(float), z, q=Q)
        classes = found.class_entropy if entropy else found.class_level
        dataset = found.dataset_entropy if entropy else found.dataset_level
        out = np.full((len(MEASURES), len(Q), 1 + counts.shape[1]), np.nan)
        for i, name in enumerate(MEASURES):
            out[i, :, 0] = dataset[name]
            out[i, :, 1:][:, present] = classes[name]
        rows.append(out)
    return np.array(rows)


def tables(found, entropy=False):
    classes = found.class_entropy if entropy else found.class_level
    dataset = found.dataset_entropy if entropy else found.dataset_level
    return np.array([np.column_stack([dataset[m], classes[m]]) for m in MEASURES])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, where all numbers are NaN
@pytest.mark.parametrize(
    "drawing",
    [lcrjax.Bootstrap(30), lcrjax.Bootstrap(30, within_classes=False), lcrjax.Subsets(6, 30)],
    ids=["within", "across", "subsets"],
)
def test_all_draws_together_are_as_one_by_one(drawing, monkeypatch, x64):
    monkeypatch.setattr(resampling, "_NUMBERS_AT_ONCE", 15 * 7)  # batches of seven
    z, counts = similarity(), COUNTS.astype(float)
    draws = list(drawing.draws(COUNTS))
    assert any((d.sum(axis=0) == 0).any() for d in draws) == (not getattr(
        drawing, "within_classes", False))  # fmt: skip
    numbers, logs = (one_by_one(draws, z, entropy) for entropy in (False, True))
    own, found = (lcrjax.diversity(counts, z, q=Q, resampling=r) for r in (None, drawing))
    np.testing.assert_allclose(
        tables(found.standard_error), np.nanstd(numbers, axis=0, ddof=1), rtol=1e-9, atol=1e-13
    )
    signed = np.array([name.endswith("hat") for name in MEASURES])[:, None, None]
    mixed = np.where(signed, numbers, logs)
    ends = np.nanquantile(mixed, (0.025, 0.975), axis=0)
    if isinstance(drawing, lcrjax.Bootstrap):
        centre = np.where(signed, tables(own), tables(own, entropy=True))
        ends = 2 * centre - ends[::-1]
        np.testing.assert_array_equal(tables(found), tables(own))
    else:
        mean = np.nanmean(mixed, axis=0)
        right = np.where(signed, mean, np.exp(mean))
        np.testing.assert_allclose(tables(found), right, rtol=1e-9, atol=1e-13)
    for part, end in zip((found.lower, found.upper), ends, strict=True):
        right = np.where(signed, end, np.exp(end))
        np.testing.assert_allclose(tables(part), right, rtol=1e-9, atol=1e-13)


def test_draws_tell_how_many_are_done(monkeypatch):
    monkeypatch.setattr(resampling, "_NUMBERS_AT_ONCE", 15 * 8)  # batches of eight
    told = []
    with telling(told.append):
        lcrjax.diversity(COUNTS, resampling=lcrjax.Subsets(6, 20))
    np.testing.assert_allclose(told, np.array([0, 8, 8, 16, 16, 20]) / 20)


def test_class_balance(x64):
    fixed = lcrjax.diversity(COUNTS, q=1, resampling=lcrjax.Bootstrap(20))
    np.testing.assert_allclose(fixed.lower.class_balance, fixed.class_balance)
    free = lcrjax.diversity(COUNTS, q=1, resampling=lcrjax.Bootstrap(20, within_classes=False))
    draws = lcrjax.Bootstrap(20, within_classes=False).draws(COUNTS)
    balances = [float(lcrjax.hill_number(d.sum(axis=0), 1)) for d in draws]
    np.testing.assert_allclose(free.standard_error.class_balance, np.std(balances, ddof=1))


def test_draws():
    for counts in lcrjax.Bootstrap(5).draws(COUNTS):
        np.testing.assert_array_equal(counts.sum(axis=0), COUNTS.sum(axis=0))
        assert not counts[COUNTS == 0].any()
    for counts in lcrjax.Subsets(4, 5).draws(COUNTS):
        assert counts.sum() == 4
        assert np.all(counts <= COUNTS)
    whole = lcrjax.diversity(COUNTS, similarity(), resampling=lcrjax.Subsets(int(COUNTS.sum()), 2))
    own = lcrjax.diversity(COUNTS, similarity())
    np.testing.assert_allclose(tables(whole), tables(own), rtol=2e-6)
    assert np.nanmax(tables(whole.standard_error)) < 1e-6


def test_labelled_elements_are_drawn_as_counted_ones_are(rng):
    x, y = rng.random((40, 3, 3)).astype("f4"), np.repeat(["a", "b"], [25, 15])
    z = np.asarray(lcrjax.ordinariness(x, np.eye(40, dtype="f4")))
    for drawing in (lcrjax.Bootstrap(12, seed=3), lcrjax.Subsets(12, 12, seed=3)):
        found = lcrjax.measure(x, y, q=Q, resampling=drawing)
        counted = lcrjax.diversity(
            {"a": 1.0 * (y == "a"), "b": 1.0 * (y == "b")}, z, q=Q, resampling=drawing
        )
        for part in (lambda d: d, lambda d: d.standard_error, lambda d: d.lower, lambda d: d.upper):
            np.testing.assert_allclose(
                tables(part(found)), tables(part(counted)), rtol=2e-4, atol=2e-5
            )


def test_a_class_without_elements_stays_so(rng):
    x, y = rng.random((6, 2)).astype("f4"), np.array([0, 0, 2, 2, 2, 0])
    found, right = (
        lcrjax.measure(
            x, y, similarity=lcrjax.Gaussian(1.0), n_classes=n, resampling=lcrjax.Bootstrap(9)
        )
        for n in (3, None)
    )
    for part in (lambda d: d, lambda d: d.standard_error, lambda d: d.lower, lambda d: d.upper):
        a, b = part(found), part(right)
        assert np.isnan(a.class_level["alpha"][:, 1]).all()
        for name in ("alpha", "normalized_rho", "gamma"):
            np.testing.assert_allclose(
                a.class_level[name][:, [0, 2]], b.class_level[name], rtol=1e-4, atol=1e-6
            )
            np.testing.assert_allclose(
                a.dataset_level[name], b.dataset_level[name], rtol=1e-4, atol=1e-6
            )


def test_centred_intervals_cover_the_source_and_percentiles_do_not(rng):
    """Points of a normal distribution, alike by exp(-distance); the source by 2000 quantiles."""
    q, n, inside, repeated = 1, 60, 0, 0
    points = np.sort(2 * rng.normal(size=2000))
    source = np.exp(-np.mean(np.log(np.exp(-np.abs(points[:, None] - points)).mean(axis=1))))
    for i in range(40):
        x = 2 * rng.normal(size=n)
        z = np.exp(-np.abs(x[:, None] - x))
        found = lcrjax.diversity(np.ones(n), z, q=q, resampling=lcrjax.Bootstrap(60, seed=i))
        own, low, high = (
            float(d.dataset_level["gamma"][0]) for d in (found, found.lower, found.upper)
        )
        inside += low <= source <= high
        repeated += own**2 / high <= source <= own**2 / low  # the percentiles themselves
    assert inside >= 32  # 0.8 of nominal 0.95
    assert repeated < inside - 4


def test_table_of_intervals():
    found = lcrjax.diversity(COUNTS, similarity(), q=(0, 1), resampling=lcrjax.Bootstrap(10))
    for entropy in (False, True):
        table = found.intervals(entropy=entropy)
        assert list(table.columns) == ["level", "q", "measure", "value", "standard_error",
                                       "lower", "upper"]  # fmt: skip
        assert len(table) == 2 * 4 * len(MEASURES)
        rho = table[(table["measure"] == "rho") & (table["level"] == "1") & (table["q"] == 1)]
        for name, part in (("value", found), ("lower", found.lower), ("upper", found.upper)):
            level = part.class_entropy if entropy else part.class_level
            assert rho[name].item() == pytest.approx(float(level["rho"][1, 1]))
    with pytest.raises(ValueError, match="no intervals: measure with"):
        lcrjax.diversity(COUNTS).intervals()


def test_results_are_pytrees():
    found = lcrjax.diversity(COUNTS, resampling=lcrjax.Subsets(5, 3))
    again = jax.tree.map(lambda x: x, found)
    np.testing.assert_array_equal(again.upper.class_level["rho"], found.upper.class_level["rho"])
    assert again.lower.class_names == found.class_names
    assert jax.tree.map(lambda x: x, lcrjax.diversity(COUNTS)).lower is None


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: lcrjax.Bootstrap(1), "at least two"),
        (lambda: lcrjax.Bootstrap(level=0.0), "between 0 and 1"),
        (lambda: lcrjax.Subsets(0), "at least one individual"),
        (lambda: lcrjax.diversity(COUNTS, resampling=lcrjax.Subsets(30)), "there are 27 individ"),
        (
            lambda: jax.jit(lambda c: lcrjax.diversity(c, resampling=lcrjax.Bootstrap()))(COUNTS),
            "counts are traced: draw",
        ),
        (lambda: lcrjax.diversity(COUNTS / 27, resampling=lcrjax.Bootstrap()), "whole numbers"),
    ],
)
def test_what_cannot_be_drawn(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_settings_are_told():
    assert dataclasses.asdict(lcrjax.Subsets(9)) == {
        "size": 9, "count": 100, "level": 0.95, "seed": 0
    }  # fmt: skip
