import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

from tests.study.analysis import tables


@pytest.fixture(scope="session")
def correlated():
    """The function that makes a study's table."""
    return tables.correlated


@pytest.fixture(scope="session")
def statsmodels_fit():
    """Fit with statsmodels, written down from the paper and not through lcrjax."""

    def fit(table, features, target="bacc", always=("n_pixels", "n_channels", "n_classes")):
        X = np.log(table[[*always, *features]].to_numpy(float))
        with warnings.catch_warnings():
            # Collinear columns are what some tests are about.
            warnings.simplefilter("ignore", SingularMatrixWarning)
            return sm.OLS(table[target].to_numpy(), np.column_stack([np.ones(len(X)), X])).fit()

    return fit
