"""An `.npy` file of elements, with labels in a file beside it."""

from pathlib import Path

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.classes import UNLABELLED
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError
from lcrjax.data.label_file import read_labels
from lcrjax.data.npy import read_npy
from lcrjax.data.options import Options


def load_npy(named: str | Path, options: Options) -> Dataset:
    """Load images, vectors or texts from an `.npy` file, and labels from `options.labels`.

    The file is mapped into memory and never read as a whole, where its type need not change and
    no test set is held out.

    Raises:
        DataError: A ValueError, if there are no labels, a file is damaged, or they do not match.
    """
    path = Path(named)
    elements = read_npy(path)
    if options.labels is None and options.labelled:
        raise DataError(
            f"{path} holds elements without labels: give their file with labels= (--labels "
            "FILE.npy, FILE.csv:COLUMN or FILE.txt)."
        )
    source = f"the file {path.name}"
    if options.labels is None:
        labels = np.repeat(UNLABELLED, len(elements))
    else:
        labels = read_labels(options.labels, len(elements))
        source += f", labels from {Path(options.labels).name}"
    return from_arrays(path.stem, elements, labels, source=source, **options.of_arrays())
