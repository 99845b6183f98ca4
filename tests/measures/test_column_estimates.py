"""Estimates from sampled rows and columns: without bias, with intervals that hold the truth."""

import warnings

import numpy as np
import pytest
from scipy import stats

import lcrjax
from lcrjax.measures import growing
from lcrjax.measures.family import MEASURES
from tests.measures.numbered import Known

Q = (0, 0.5, 1, 2, np.inf)
CLASSES = np.repeat([0, 1, 2], [600, 300, 10])
N, REPEATS = len(CLASSES), 80
pytestmark = pytest.mark.filterwarnings("ignore:columns tell", "ignore:outliers make half of the")


@pytest.fixture(scope="module")
def known():
    x = np.random.default_rng(0).normal(size=(N, 2)) + CLASSES[:, None]
    return Known(np.exp(-2 * np.linalg.norm(x[:, None] - x[None], axis=2)).astype("f4"))


def measured(similarity, **options):
    return lcrjax.measure(np.arange(N), CLASSES, similarity=similarity, q=Q, **options)


@pytest.fixture(scope="module")
def samples(known):
    """Many estimates of few columns, whose uncorrected bias would be seen, and the truth."""
    found = [measured(known, rows=200, columns=80, seed=i) for i in range(REPEATS)]
    return found, measured(known)


@pytest.mark.parametrize("name", ["alpha", "normalized_rho", "gamma", "beta", "rho_hat"])
def test_estimates_are_without_bias(name, samples):
    found, exact = samples
    values = np.stack([d.class_level[name][:-1] for d in found])
    error = values.std(axis=0, ddof=1) / np.sqrt(REPEATS)
    wanted = np.asarray(exact.class_level[name][:-1])
    assert np.all(abs(values.mean(axis=0) - wanted) < 4 * error + 1e-3 * abs(wanted))


@pytest.mark.parametrize("name", MEASURES)
def test_intervals_hold_the_truth(name, samples):
    """As often as they say, but for what so few repetitions leave to chance."""
    found, exact = samples
    for level in ("dataset", "class"):
        truth = np.asarray(getattr(exact, f"{level}_level")[name])
        ends = np.stack([getattr(d, f"{level}_interval")[name] for d in found])
        slack = 1e-6 * abs(truth)
        inside = (ends[..., 0] <= truth + slack) & (truth - slack <= ends[..., 1])
        rates = inside.mean(axis=0)[~np.isnan(truth)]  # powers of negative numbers
        least = stats.binom.ppf(1e-4, REPEATS, 0.93) / REPEATS
        assert rates.min() >= least, (level, rates)


def test_standard_errors_are_those_of_repetitions(samples):
    found, _ = samples
    for name in ("alpha", "gamma"):
        spread = np.std([d.dataset_level[name][:-1] for d in found], axis=0, ddof=1)
        said = np.mean([d.standard_error.dataset_level[name][:-1] for d in found], axis=0)
        np.testing.assert_allclose(said, spread, rtol=0.25)


def test_all_rows_and_columns_are_exact(known, samples):
    exact = samples[1]
    found = measured(known, rows=N, columns=N)
    for name in MEASURES:
        for level in ("dataset_level", "class_level"):
            wanted = np.asarray(getattr(exact, level)[name])
            for own in (found, found.lower, found.upper):
                np.testing.assert_allclose(getattr(own, level)[name], wanted, rtol=2e-5, atol=1e-6)


def test_bounds_where_q_is_infinite(samples):
    found, exact = samples
    d = found[0]
    assert d.dataset_interval["alpha"][-1, 0] == 0
    assert d.dataset_interval["alpha"][-1, 1] == d.dataset_level["alpha"][-1]
    assert np.isposinf(d.class_interval["beta"][-1, 0, 1])
    held = [x.dataset_level["gamma"][-1] >= exact.dataset_level["gamma"][-1] for x in found]
    assert np.mean(held) > 0.95


def test_rows_and_columns_grow_until_an_error_is_reached():
    """Both by the same factor, to a cost that does not depend on how many elements there are."""
    rng, sizes = np.random.default_rng(0), []
    for n, error in ((3000, 0.1), (3000, 0.05), (12000, 0.05)):
        x, y = rng.normal(size=(n, 3)).astype("f4"), np.resize([0, 1], n)
        options = {"similarity": lcrjax.Gaussian(2.0), "q": (0, 1)}
        exact = lcrjax.measure(x, y, **options)
        found = lcrjax.measure(x, y, error=error, columns=64, **options)
        sizes.append((found.rows, found.columns))
        for name in ("alpha", "normalized_rho", "gamma"):
            ends = found.dataset_interval[name]
            assert np.all(abs(ends / found.dataset_level[name][:, None] - 1) <= error)
            np.testing.assert_allclose(
                found.dataset_level[name], exact.dataset_level[name], rtol=2 * error
            )
    (rows, columns), more, many = sizes
    assert more[0] > rows >= 256
    assert more[1] > columns
    assert columns / rows == pytest.approx(64 / 256, rel=0.05)
    assert more[1] / more[0] == pytest.approx(64 / 256, rel=0.05)
    assert many[0] * many[1] < 12_000**2 / 100  # 256 rows against all are two in a hundred


def test_an_error_that_is_out_of_reach_of_columns(known, monkeypatch):
    exact = measured(known)
    with pytest.warns(UserWarning, match="of 910 elements reached .* all 413,595 pairs"):
        found = measured(known, error=1e-6, columns=60)
    np.testing.assert_array_equal(found.upper.class_level["rho"], exact.class_level["rho"])
    monkeypatch.setattr(growing, "ALL_PAIRS", 300)
    with pytest.raises(ValueError, match="or leave error out to compare all 413,595 pairs"):
        measured(known, error=1e-6, columns=60)


def test_outliers_and_few_columns_are_told(rng):
    """What a sample shows of why its intervals may be too narrow; and what is whole is certain."""
    x = rng.normal(size=(N, 3)).astype("f4")
    options = {"similarity": lcrjax.Gaussian(20.0), "q": (0, 1), "rows": 200}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lcrjax.measure(x, CLASSES, columns=400, **options)
    x[:2] *= 100  # of which less than one is drawn
    x[-1] *= 100  # of a class that is taken whole
    with pytest.warns(UserWarning, match="outliers make half of the variance of class .0.") as told:
        found = lcrjax.measure(x, CLASSES, columns=400, **options)
    assert len(told) == 1
    assert found.columns == pytest.approx(400, abs=2)
    options["similarity"] = lcrjax.Gaussian(0.5)
    with pytest.warns(UserWarning, match="columns tell the ordinariness of a row to"):
        lcrjax.measure(rng.normal(size=(N, 3)).astype("f4"), CLASSES, columns=60, **options)


def test_streams_read_what_is_sampled_alone(rng):
    """And elements are the same however they come: in memory or in blocks."""
    x, y = rng.normal(size=(N, 5)).astype("f4"), CLASSES
    options = {"similarity": "cosine", "q": (0, 1), "rows": 90, "columns": 120, "seed": 3}
    found = lcrjax.measure(lcrjax.Stream([x[:500], x[500:]]), y, **options)
    wanted = lcrjax.measure(x, y, **options)
    np.testing.assert_array_equal(found.class_level["alpha"], wanted.class_level["alpha"])
    x = rng.random((N, 5)).astype("f4")
    with pytest.raises(ValueError, match="the float pixels of the images range from"):
        lcrjax.measure(x * 2, y, rows=90, columns=120)


def test_what_is_like_itself_alone(rng):
    """Vectors of zeros, whose cosine with themselves is one by definition alone."""
    x = np.zeros((N, 3), "f4")
    x[::2] = rng.random((N // 2, 3)) + 1
    d = lcrjax.measure(x, CLASSES, similarity="cosine", q=0, rows=N, columns=N)
    exact = lcrjax.measure(x, CLASSES, similarity="cosine", q=0)
    np.testing.assert_allclose(d.class_level["alpha"], exact.class_level["alpha"], rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": 50}, "columns is 50, and neither rows nor error is given: give one"),
        ({"columns": 41, "error": 0.1}, "columns is 41, and there are 3 classes: give 16 for each"),
        ({"columns": 50, "error": 0.1, "rows": 60}, "give one of them"),
        (
            {"columns": 41, "rows": 50},
            "columns is 41, and there are 3 classes: give 16 for each",
        ),
    ],
)
def test_bad_input(options, said, known):
    with pytest.raises(ValueError, match=said):
        measured(known, **options)
