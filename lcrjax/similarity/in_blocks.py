"""Which similarities are computed block by block, and elements that are read so for them."""

from typing import Any

from lcrjax.numerics.streams import as_stream
from lcrjax.similarity.base import Product, Similarity, TiledSimilarity, WeighsElements
from lcrjax.similarity.spec import compares_numbers


def large_as_stream(similarity: Any, elements: Any) -> Any:
    """A stream of elements that are large and on disk, where a similarity, or a word, allows it."""
    fits = compares_numbers(similarity) or _in_blocks(similarity)
    return as_stream(elements) if fits else elements


def check_in_blocks(similarity: Similarity) -> None:
    """Check that a similarity can be computed block by block.

    Raises:
        ValueError: If it cannot.
    """
    if not _in_blocks(similarity):
        raise ValueError(
            f"a {type(similarity).__name__} is not computed block by block: give a similarity of "
            "vectors or images, or elements in memory and no checkpoint"
        )


def _in_blocks(similarity: Any) -> bool:
    """Whether it is computed in tiles, of arrays."""
    return isinstance(similarity, TiledSimilarity) and not (
        isinstance(similarity, Product | WeighsElements) or hasattr(similarity, "take")
    )
