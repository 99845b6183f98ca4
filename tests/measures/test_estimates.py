"""Estimates from samples: against exact values, an independent reference, and by their laws."""

import contextlib
import re

import jax
import numpy as np
import pytest
from scipy import stats

import lcrjax
from lcrjax.measures import growing
from lcrjax.measures.family import MEASURES
from lcrjax.measures.strata import allocated, drawn, members_of
from lcrjax.numerics.groupings import Segments
from tests.measures.numbered import Known

Q = (0, 0.5, 1, 2, np.inf)
CLASSES = np.repeat([0, 1, 2], [120, 60, 6])


def known(seed=0, outliers=0):
    """Similarities of points in the plane by class, some of them far from all others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(len(CLASSES), 2)) + CLASSES[:, None]
    x[rng.permutation(len(x))[:outliers]] *= 40
    return Known(np.exp(-np.linalg.norm(x[:, None] - x[None], axis=2)).astype("f4"))


def measured(similarity, **options):
    return lcrjax.measure(np.arange(len(CLASSES)), CLASSES, similarity=similarity, q=Q, **options)


@pytest.fixture(scope="module")
def samples():
    """Many estimates, and the truth."""
    similarity = known()
    return [measured(similarity, rows=60, seed=i) for i in range(150)], measured(similarity)


def finite(table):
    return np.asarray(table)[:-1]


def test_estimates_are_without_bias(samples):
    found, exact = samples
    for name in ("alpha", "normalized_rho", "gamma", "beta"):
        values = np.stack([finite(d.dataset_level[name]) for d in found])
        error = values.std(axis=0) / np.sqrt(len(values))
        slack = 4 * error + 2e-4 * finite(exact.dataset_level[name])  # of a ratio's second order
        assert np.all(abs(values.mean(axis=0) - finite(exact.dataset_level[name])) < slack), name


def test_standard_errors_are_the_spread_of_estimates(samples):
    found, _ = samples
    for name in MEASURES:
        values = np.stack([finite(d.dataset_level[name]) for d in found])
        said = np.stack([finite(d.standard_error.dataset_level[name]) for d in found])
        known = np.isfinite(values).all(axis=0)
        ratio = np.sqrt((said**2).mean(axis=0))[known] / values.std(axis=0)[known]
        assert np.all((ratio > 0.8) & (ratio < 1.25)), (name, ratio)


@pytest.mark.parametrize("level", ["dataset", "class"])
def test_intervals_hold_the_truth(samples, level):
    found, exact = samples
    held = []
    for name in MEASURES:
        right = np.asarray(getattr(exact, f"{level}_level")[name])
        ends = np.stack([getattr(d, f"{level}_interval")[name] for d in found])
        slack = 1e-6 * abs(right)
        inside = (ends[..., 0] <= right + slack) & (right - slack <= ends[..., 1])
        assert inside[:, -1][:, np.isfinite(right[-1])].all()  # bounds are certain
        assert inside[:, :-1].mean(axis=0)[np.isfinite(right[:-1])].min() > 0.88, name
        held.append(inside[:, :-1, :2] if level == "class" else inside[:, :-1])
    rates = np.concatenate([x[:, np.isfinite(x.mean(axis=0))].ravel() for x in held[:7]])
    assert 0.92 < rates.mean() < 0.985


def test_planted_outliers_are_taken_for_certain(samples):
    similarity = known(outliers=2)
    exact = measured(similarity)
    found = [measured(similarity, rows=60, seed=i) for i in range(40)]
    right = np.asarray(exact.dataset_level["gamma"])[0]
    assert right > 1.15 * np.asarray(samples[1].dataset_level["gamma"])[0]
    inside = [d.dataset_interval["gamma"][0] for d in found]
    assert np.mean([low <= right <= high for low, high in inside]) > 0.85


def test_more_outliers_than_rows_hold_are_told():
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(size=(240, 2)), 1e3 * rng.normal(size=(30, 2))].astype("f4")
    with pytest.warns(UserWarning, match="class 'only' has more outliers than 40 rows hold"):
        lcrjax.measure(x, ["only"] * len(x), similarity=lcrjax.Gaussian(2.0), rows=40)


def test_one_class_by_hand(rng):
    """Student's interval of a mean, at q = 1, of items that are not skewed."""
    n, m = 400, 12
    own = np.exp(-np.resize([0.0, 1.0], n))
    similarity = Known(np.diag(own.astype("f8")) * n)  # of which (Z p) is that
    found = lcrjax.measure(np.arange(n), np.zeros(n, int), similarity=similarity, q=1, rows=m)
    value = float(found.dataset_entropy["gamma"][0])
    ones = round(value * m)
    logs = np.r_[np.ones(ones), np.zeros(m - ones)]
    error = np.sqrt(logs.var(ddof=1) / m * (1 - m / n))
    assert float(found.standard_error.dataset_entropy["gamma"][0]) == pytest.approx(error, rel=1e-5)
    low, high = (float(d.dataset_entropy["gamma"][0]) for d in (found.lower, found.upper))
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, m - 1) * error, rel=0.02)


def test_standard_errors_by_hand():
    """Those of stratified means, at q = 1, of each class's logs."""
    rows = 30  # too few for strata within classes
    similarity = known()
    sample = drawn(members_of(CLASSES), rows, np.random.default_rng(7))
    found = lcrjax.measure(
        np.arange(len(CLASSES)), CLASSES, similarity=similarity, q=1, rows=rows, seed=7
    )
    z = similarity.matrix[sample.rows].astype("f8")
    of_rows, everyone = CLASSES[sample.rows], z.sum(axis=1)
    own = np.array([row[c == CLASSES].sum() for row, c in zip(z, of_rows, strict=True)])
    logs = {"alpha": -np.log(own), "rho": np.log(everyone / own), "gamma": -np.log(everyone)}
    for name, values in logs.items():
        parts = []
        for c, count in enumerate(np.bincount(CLASSES)):
            values_of_class = values[of_rows == c]
            taken = len(values_of_class)
            error = np.sqrt(values_of_class.var(ddof=1) / taken * (1 - taken / count))
            said = found.standard_error.class_entropy[name][0, c]
            np.testing.assert_allclose(said, error, rtol=1e-4, atol=1e-7)
            parts.append(count / len(CLASSES) * error)
        said = found.standard_error.dataset_entropy[name][0]
        np.testing.assert_allclose(said, np.linalg.norm(parts), rtol=1e-4)
    errors = found.standard_error
    for name in ("alpha", "normalized_beta", "gamma"):  # of a number, that of its log times itself
        error = np.asarray(errors.class_entropy[name]) * np.asarray(found.class_level[name])
        np.testing.assert_allclose(errors.class_level[name], error, rtol=1e-5)


def test_bounds_at_infinity(samples):
    found, exact = samples
    one = found[0]
    for name in ("alpha", "normalized_rho", "gamma"):
        low, high = one.dataset_interval[name][-1]
        assert low == 0
        assert high == one.dataset_level[name][-1] >= exact.dataset_level[name][-1]
    low, high = one.class_interval["normalized_beta"][-1, 0]
    assert low == one.class_level["normalized_beta"][-1, 0]
    assert high == np.inf
    # A class that is taken whole is known.
    whole = one.class_interval["alpha"][:, 2]
    np.testing.assert_array_equal(whole[:, 0], whole[:, 1])
    np.testing.assert_allclose(whole[:, 0], exact.class_level["alpha"][:, 2], rtol=1e-6)


def test_the_whole_is_exact():
    exact = measured(known())
    for options in ({"rows": len(CLASSES)}, {"rows": 10**6}, {"error": 1e-9}):
        with contextlib.ExitStack() as stack:
            if "error" in options:
                stack.enter_context(
                    pytest.warns(UserWarning, match="all 17,205 pairs are compared")
                )
            found = measured(known(), **options)
        for name in MEASURES:
            np.testing.assert_array_equal(found.dataset_level[name], exact.dataset_level[name])
            for end in (0, 1):
                np.testing.assert_array_equal(
                    found.class_interval[name][..., end], exact.class_level[name]
                )
        assert not np.nanmax(found.standard_error.class_level["alpha"])
    assert exact.dataset_interval is None
    assert exact.class_interval is None


def test_precision_asked_for():
    x = np.random.default_rng(3).normal(size=(3000, 2)).astype("f4")
    for error in (0.1, 0.05):
        found = lcrjax.measure(
            x, np.resize([0, 1], 3000), similarity=lcrjax.Gaussian(1.0), q=Q, error=error
        )
        for name in ("alpha", "normalized_rho", "gamma"):
            ends, value = finite(found.dataset_interval[name]), finite(found.dataset_level[name])
            assert np.all(abs(ends / value[:, None] - 1) <= error)
        assert found.dataset_interval["alpha"][0, 0] < found.dataset_interval["alpha"][0, 1]


def test_an_error_out_of_reach_is_told_before_all_pairs(monkeypatch):
    """What was reached and what could be, and many elements are refused."""
    x = np.random.default_rng(3).normal(size=(3000, 2)).astype("f4")
    given = {"similarity": lcrjax.Gaussian(1.0), "q": (0, 1)}
    with pytest.warns(UserWarning, match="all 4,498,500 pairs are compared") as told:
        exact = lcrjax.measure(x, np.resize([0, 1], 3000), error=1e-6, **given)
    np.testing.assert_array_equal(exact.lower.class_level["alpha"], exact.class_level["alpha"])
    said = str(told[0].message)
    rows, best, least = re.fullmatch(
        r"error is 1e-06, and (\d+) of 3,000 elements reached (\S+): .* give (\S+) or more", said
    ).groups()
    assert int(rows) >= 1500 // 5
    assert float(least) < float(best)
    monkeypatch.setattr(growing, "ALL_PAIRS", 1000)
    with pytest.raises(ValueError, match=r"which .* may reach, or leave error out") as refused:
        lcrjax.measure(x, np.resize([0, 1], 3000), error=1e-6, **given)
    within = float(re.search("give (.*) or more", str(refused.value))[1])
    found = lcrjax.measure(x, np.resize([0, 1], 3000), error=1.3 * within, **given)
    assert found.rows * 3000 <= 1000**2


def test_laws(samples):
    """A = CB G R at q = 1, and balance is known."""
    found, exact = samples
    one = found[3]
    product = one.class_balance * one.dataset_level["gamma"] * one.dataset_level["normalized_rho"]
    assert float(one.dataset_level["alpha"][2]) == pytest.approx(float(product[2]), rel=1e-6)
    for part in (one, one.lower, one.upper):
        np.testing.assert_allclose(part.class_balance, exact.class_balance, rtol=1e-6)
    rho, beta = one.class_interval["rho"], one.class_interval["beta"]
    np.testing.assert_allclose(finite(beta), 1 / finite(rho)[..., ::-1], rtol=1e-5)
    hat = (rho - 1) / 2
    np.testing.assert_allclose(one.class_interval["rho_hat"], hat, rtol=1e-4, atol=1e-6)


def test_seeds():
    one, same, other = (measured(known(), rows=40, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.dataset_interval["alpha"], same.dataset_interval["alpha"])
    assert np.all(one.dataset_level["alpha"] != other.dataset_level["alpha"])


def test_images_and_their_kernels(real_images):
    images, labels = real_images("blood", 256)
    exact, found = (lcrjax.measure(images, labels, q=(0, 1), rows=r) for r in (None, 128))
    for name in ("alpha", "normalized_rho", "gamma"):
        np.testing.assert_allclose(found.dataset_level[name], exact.dataset_level[name], rtol=0.01)
        assert np.all(np.ptp(found.dataset_interval[name], axis=-1) > 0)


@pytest.mark.parametrize(
    "similarity", [lcrjax.Levenshtein(), lcrjax.RMSD(1.0) * lcrjax.SameClass()], ids=["text", "two"]
)
def test_elements_of_other_kinds(similarity, rng):
    """Lists, and the tuples of a product."""
    elements = ["".join(rng.choice(list("ab"), 4)) for _ in range(40)]
    if isinstance(similarity, lcrjax.Levenshtein):
        pytest.importorskip("rapidfuzz")
    else:
        elements = (rng.random((40, 3)).astype("f4"), np.resize([0, 1], 40))
    labels = np.resize([0, 1], 40)
    exact, found = (
        lcrjax.measure(elements, labels, similarity=similarity, q=1, rows=r) for r in (None, 38)
    )
    np.testing.assert_allclose(
        found.dataset_level["alpha"], exact.dataset_level["alpha"], rtol=0.05
    )


def test_empty_classes_are_nan(rng):
    x, y = rng.random((80, 2)).astype("f4"), np.resize([0, 2], 80)
    found, right = (
        lcrjax.measure(x, y, similarity=lcrjax.Gaussian(1.0), n_classes=n, rows=20, q=Q)
        for n in (3, None)
    )
    assert np.isnan(found.class_interval["alpha"][:, 1]).all()
    for name in MEASURES:
        np.testing.assert_array_equal(
            found.class_interval[name][:, [0, 2]], right.class_interval[name]
        )
        np.testing.assert_array_equal(found.dataset_interval[name], right.dataset_interval[name])


def test_tables(samples):
    frame = samples[0][0].to_frame()
    assert list(frame.columns[11:15]) == ["alpha_low", "alpha_high", "rho_low", "rho_high"]
    row = frame[(frame["level"] == "1") & (frame["q"] == 2)]
    assert row["gamma_low"].item() < row["gamma"].item() < row["gamma_high"].item()
    assert "alpha_low" not in samples[1].to_frame()
    assert frame.columns[-1] == "bound"
    assert "bound" not in samples[1].to_frame()
    # At q = inf all but what is of a class that is taken whole.
    whole = frame["level"] == "2"
    assert frame["bound"].tolist() == (np.isinf(frame["q"]) & ~whole).tolist()
    assert set(samples[0][0].intervals()["measure"]) == set(MEASURES)


def test_it_says_that_it_is_an_estimate(samples):
    """And what each number is, in a terminal and in a notebook."""
    found, exact = samples
    one = found[0]
    title, header, *lines = repr(one).splitlines()
    assert one.rows == pytest.approx(60, abs=2)  # whole numbers in each class
    assert title == f"Diversity of 3 classes, an estimate from {one.rows} rows"
    assert header.split() == repr(exact).splitlines()[1].split()
    low, high = one.dataset_interval["alpha"][0].astype(float)
    value = float(one.dataset_level["alpha"][0])
    places = 1 - int(np.floor(np.log10(max(high - value, value - low))))
    assert f"{value:.{places}f} ±{max(high - value, value - low):.{places}f}" in lines[0]
    bounds = [word for word in lines[-1].split() if word in "≤≥"]
    assert bounds == ["≤", "≤", "≥", "≤"]
    assert "±" not in lines[-1]
    assert f"≤ {one.dataset_level['gamma'][-1]:.6g}" in lines[-1]
    html = one._repr_html_()
    assert title in html
    assert f"≤ {one.dataset_level['gamma'][-1]:.6g}" in html
    assert "±" not in repr(exact) + exact._repr_html_()
    assert "estimate" not in repr(measured(known(), rows=len(CLASSES)))  # it is exact
    columns = measured(known(), rows=60, columns=80)
    assert f"from {columns.rows} rows and {columns.columns} columns" in repr(columns)


def test_an_interval_of_draws_is_no_bound():
    drawn = measured(known(), resampling=lcrjax.Bootstrap(20))
    assert "≤" not in repr(drawn)
    assert "±" in repr(drawn)
    assert "estimate" not in repr(drawn)
    assert "bound" not in drawn.to_frame()


def test_strata():
    """Shares of classes, and the ends of the ordinary taken whole."""
    np.testing.assert_array_equal(allocated(np.array([100, 400, 3]), 63), [20, 40, 3])
    np.testing.assert_array_equal(allocated(np.array([5, 5]), 99), [5, 5])
    assert allocated(np.array([9, 9, 9]), 2).tolist() == [2, 2, 2]
    guess = np.linspace(0.5, 1, len(CLASSES))[:, None] * np.ones(2)
    sample = drawn(members_of(CLASSES), 100, np.random.default_rng(0), guess)
    assert len(set(sample.rows)) == len(sample.rows) == sample.taken.sum()
    assert {0, 1, 119, 120, 179} <= set(sample.rows)
    assert set(range(180, 186)) <= set(sample.rows)
    assert not sample.crowded.any()
    guess[:25] = 1e-4
    assert drawn(members_of(CLASSES), 100, np.random.default_rng(0), guess).crowded.tolist() == [
        True,
        False,
        False,
    ]
    np.testing.assert_array_equal(Segments(sample.strata).sum(sample.sizes), [120, 60, 6])
    assert np.all((sample.taken >= 2) | (sample.taken == sample.sizes))
    few = drawn(
        members_of(CLASSES), 30, np.random.default_rng(0), guess
    )  # less than 16 of each class
    assert few.strata.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("times", "ends"), [(10, 4), (100, 7)])
def test_outliers_are_those_that_draws_in_proportion_to_size_hold_for_certain(times, ends):
    """Five of 1000, so many times as outlying: of 40 draws each would be 0.4, or 2.7, of them."""
    guess = np.ones((1000, 2))
    guess[:5] = 1 / times
    sample = drawn(members_of(np.zeros(1000, int)), 40, np.random.default_rng(0), guess)
    assert sample.sizes[0] == sample.taken[0] == ends  # with two at either end in any case
    assert sample.taken.sum() == 40


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rows": 0}, "rows is 0: give how many"),
        ({"error": 0.0}, "error is 0.0: give a positive"),
        ({"error": np.nan}, "error is nan"),
        ({"error": float("inf")}, "error is inf"),
        ({"rows": 5}, "there are 3 classes: give two for each at least, 6"),
        ({"rows": 50, "error": 0.1}, "give one of them"),
        ({"rows": 50, "resampling": lcrjax.Bootstrap()}, "not resampled"),
        ({"error": 0.1, "q": np.inf}, "a bound and no error"),
        ({"rows": 9, "similarity": np.eye(len(CLASSES))}, "knows all similarities"),
        ({"rows": 9, "labels": np.eye(3)[CLASSES] + [0, 0, 1] > 0}, "several labels"),
    ],
)
def test_what_cannot_be_estimated(options, said):
    given = {"similarity": known(), "labels": CLASSES, "q": 1} | options
    with pytest.raises(ValueError, match=said):
        lcrjax.measure(np.arange(len(CLASSES)), **given)


def test_what_is_traced_is_not_sampled():
    with pytest.raises(ValueError, match="images or labels are traced"):
        jax.jit(lambda x: lcrjax.measure(x, CLASSES, rows=50))(np.ones((len(CLASSES), 2), "f4"))
