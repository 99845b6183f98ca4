"""scikit-learn's handwritten digits: 1,797 real images that need no download."""

from pathlib import Path

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import need
from lcrjax.data.options import Options


def load_digits(named: str | Path, options: Options) -> Dataset:
    """Load the 8×8 digits, with a test set held out class by class.

    A pixel counts 0 to 16 dark dots. It is kept as float32 k/16, not as uint8: k/16 and all sums
    of squared differences of an image are exact in float32, whereas bytes mean k/255 and would
    have to round.

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    bunch = need("sklearn.datasets", "scikit-learn", "study").load_digits()
    return from_arrays(
        "digits",
        bunch.images.astype(np.float32) / np.float32(16),
        bunch.target,
        class_names=tuple(map(str, range(10))),
        source="Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998, UCI), "
        "test part, as scikit-learn carries it",
        licence="CC BY 4.0",
        **options.of_arrays(),
    )
