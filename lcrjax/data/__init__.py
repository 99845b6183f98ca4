"""Labelled datasets from files, folders and public collections."""

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset, Split
from lcrjax.data.errors import DataError
from lcrjax.data.sources import load

__all__ = ["DataError", "Dataset", "Split", "from_arrays", "load"]
