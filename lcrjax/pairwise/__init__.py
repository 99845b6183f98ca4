"""All pairs in bounded memory: ordinariness, nearest neighbours, near-duplicates."""

from lcrjax.pairwise.close_pairs import (
    Nearness,
    count_close_pairs,
    intrinsic_dimension,
    list_close_pairs,
    nearness,
)
from lcrjax.pairwise.columns import Columns
from lcrjax.pairwise.neighbours import Neighbours, nearest_neighbours
from lcrjax.pairwise.zp import ordinariness

__all__ = [
    "Columns",
    "Nearness",
    "Neighbours",
    "count_close_pairs",
    "intrinsic_dimension",
    "list_close_pairs",
    "nearest_neighbours",
    "nearness",
    "ordinariness",
]
