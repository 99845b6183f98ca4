import numpy as np

from lcrjax.measures.family import MEASURES
from lcrjax.measures.result_tables import estimate_result


def test_standard_errors_of_numbers_and_logs():
    """By the delta method; of a negative number there is no log, and no error of it."""
    value = np.full((len(MEASURES) + 1, 1, 2), 0.5)
    value[list(MEASURES).index("rho_hat"), 0] = -0.5, 0.25
    error = np.full_like(value, 0.1)
    q, present = np.array([1.0]), np.array([1])
    found = estimate_result(q, ("absent", "a"), present, value, error, value - 1, value + 1, rows=9)
    errors = found.standard_error
    np.testing.assert_allclose(found.class_level["alpha"], [[np.nan, np.exp(0.5)]], rtol=1e-6)
    np.testing.assert_allclose(errors.class_level["alpha"][0, 1], 0.1 * np.exp(0.5), rtol=1e-6)
    np.testing.assert_allclose(errors.class_entropy["alpha"][0, 1], 0.1, rtol=1e-6)
    assert found.dataset_level["rho_hat"] == -0.5
    assert np.isnan(found.dataset_entropy["rho_hat"])
    np.testing.assert_allclose(errors.dataset_level["rho_hat"], 0.1, rtol=1e-6)
    assert np.isnan(errors.dataset_entropy["rho_hat"])
    np.testing.assert_allclose(errors.class_entropy["rho_hat"][0, 1], 0.4, rtol=1e-6)
    np.testing.assert_allclose(found.lower.class_entropy["alpha"][0, 1], -0.5, rtol=1e-6)
    np.testing.assert_allclose(found.upper.class_level["rho_hat"][0, 1], 1.25, rtol=1e-6)
