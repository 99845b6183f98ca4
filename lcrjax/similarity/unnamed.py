"""Elements without a similarity: images, or an error that names a similarity for what they are."""

from typing import Any

import jax
import numpy as np

from lcrjax.numerics.inputs import array
from lcrjax.numerics.pixels import check_pixels
from lcrjax.similarity.spec import USUAL

_NAMED = "give a similarity, such as similarity={!r}"
_OTHERS = f"; of vectors {_NAMED.format(USUAL['vectors'])}, of a table {USUAL['rows']!r}"


def check_numbers(elements: Any, what: str = "elements") -> None:
    """Refuse texts, and rows of a table with some, where RMSD would compare numbers.

    Args:
        elements: Anything; what is traced passes.
        what: Their name in the plural.

    Raises:
        ValueError: If they hold text; a similarity for them is named.
    """
    if isinstance(elements, jax.core.Tracer):
        return
    found = array(what, elements)
    if found.dtype.kind in "UST" or (
        found.dtype == object and any(isinstance(x, str) for x in found.flat)
    ):
        kind = "texts" if found.ndim < 2 else "rows"
        said = "texts" if found.ndim < 2 else "rows with text in them"
        raise ValueError(f"{what} are {said}: {_NAMED.format(USUAL[kind])}")


def check_images(images: Any) -> None:
    """Refuse what RMSD of images was not meant for, where no similarity is given.

    Args:
        images: n elements; what is traced passes.

    Raises:
        ValueError: If they hold text, or numbers that are no pixels; as `check_pixels` says it, and
            of vectors a similarity is named.
    """
    if isinstance(images, jax.core.Tracer):
        return
    found = array("images", images)
    check_numbers(found, "images")
    try:
        check_pixels(found)
        if found.ndim == 2 and found.dtype.kind in "iu" and found.dtype != np.uint8:
            raise ValueError(
                f"images have dtype {found.dtype}: give uint8 (0 to 255) or floats in [0, 1]"
            )
    except ValueError as error:
        if found.ndim == 2 and np.isfinite(found).all():
            raise ValueError(f"{error}{_OTHERS}") from None
        raise
