"""`select` as a sampler, in the manner of imbalanced-learn."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from lcrjax.selection.choosing import select


class Selector(BaseEstimator):
    """Samples the elements that are worth most together; a step of imbalanced-learn's pipelines.

    Args:
        size: How many to choose, or their share in (0, 1).
        similarity: As `select` takes it.
        objective: As `select` takes it.
        balance: As `select` takes it.
        random_state: Of a random objective.

    Attributes:
        sample_indices_: (size,) places of the chosen in X, in the order chosen.
        selection_: The `Selection`.
        n_features_in_: Number of columns of X.
        feature_names_in_: Names of these columns, where it has some.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.selection import Selector
        >>> X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [9.9]])
        >>> Selector(size=2, similarity="laplacian:1").fit_resample(X)
        array([[5.1],
               [0.1]])
    """

    def __init__(
        self,
        size: Any = 0.5,
        *,
        similarity: Any = None,
        objective: Any = "auto",
        balance: Any = "balanced",
        random_state: Any = None,
    ) -> None:
        self.size = size
        self.similarity = similarity
        self.objective = objective
        self.balance = balance
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "Selector":
        """Choose, and keep what was chosen in `sample_indices_`.

        Args:
            X: (n, d) vectors, or images (n, h, w) or (n, h, w, c); an array or a table.
            y: (n,) labels; None where they are not known.

        Raises:
            ValueError: As `select` does; if numbers are missing, or the size is none.
        """
        found = validate_data(self, X, allow_nd=True, ensure_min_samples=2)
        labels = None
        if y is not None:
            labels = column_or_1d(y, warn=True)
            check_consistent_length(found, labels)
            check_classification_targets(labels)
        size = self.size
        if not isinstance(size, Integral | np.integer):
            if not 0 < size < 1:
                raise ValueError(f"the size is {size!r}: give a whole number, or a share in (0, 1)")
            size = max(1, round(float(size) * len(found)))
        random = check_random_state(self.random_state)
        self.selection_ = select(
            found.astype(np.float32) if found.ndim == 2 else found,
            int(size),
            labels,
            similarity=self.similarity,
            objective=self.objective,
            balance=self.balance,
            seed=int(random.randint(2**31 - 1)),
        )
        self.sample_indices_ = self.selection_.indices
        return self

    def fit_resample(self, X: Any, y: Any = None) -> Any:
        """Choose.

        Args:
            X: As `fit` takes it.
            y: As `fit` takes it.

        Returns:
            The chosen of X and of y, in the order chosen and in the type in which they were given;
            only those of X where y is None.

        Raises:
            ValueError: As `fit` does.
        """
        self.fit(X, y)
        chosen = _safe_indexing(X, self.sample_indices_)
        return chosen if y is None else (chosen, _safe_indexing(y, self.sample_indices_))
