"""Datasets and similarities that commands take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lcrjax.data.sources import SOURCES

if TYPE_CHECKING:
    from lcrjax.data import Dataset

DATA_HELP = f"What to load: {'; '.join(kind.called for kind in SOURCES)}."
SIMILARITY_HELP = (
    "How alike two images are: rmsd, rmsd:SCALE, cosine, gaussian:LENGTH, laplacian:LENGTH, "
    "matern32:LENGTH or matern52:LENGTH."
)
RESIZE_HELP = "Resize all images to this many pixels on each side first."


def load_sources(sources: Sequence[str], resize: int | None) -> "list[Dataset]":
    """Load and check every dataset, in order.

    Raises:
        ValueError: If one cannot be used; the sentence says which and why.
    """
    from lcrjax.data import load

    return [load(source, resize=resize) for source in sources]
