"""A similarity of numbered elements, from a matrix of all, for tests of samples."""

import jax.numpy as jnp
import numpy as np

import lcrjax


class Known(lcrjax.Similarity):
    """Similarities of numbered elements."""

    matrix: np.ndarray

    def ordinariness(self, elements, weights, others=None):
        columns = np.arange(len(self.matrix)) if others is None else others
        rows = self.matrix[np.ix_(elements, columns)]
        return jnp.asarray(rows @ np.asarray(weights, rows.dtype))
