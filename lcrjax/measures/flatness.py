"""What to say where a similarity finds nearly all elements alike."""

import numpy as np

from lcrjax.measures.result import Diversity

#: Effective elements of all, below which a similarity is called flat; and of how many at least.
_FLAT, _MANY = 2.0, 50
#: Kinds that a kernel of a distance, and so of a chosen length, compares.
_WITH_LENGTHS = ("images", "vectors")


def flat_remark(found: Diversity, count: int, kind: str) -> str | None:
    """Say that a similarity is flat: more elements hardly raise what it measures.

    Args:
        found: Diversity of a dataset; G at the smallest of its viewpoints decides.
        count: Number of its elements.
        kind: What they are, such as "images".

    Returns:
        A sentence or two; None where elements differ, or are too few to tell.
    """
    place = int(np.argmin(np.asarray(found.q)))
    effective = float(np.asarray(found.dataset_level["gamma"])[place])
    if count < _MANY or not effective < _FLAT:
        return None
    said = (
        f"Nearly all {kind} are alike to this similarity: {count:,} count as {effective:.2f} "
        f"different ones (G at q = {float(np.asarray(found.q)[place]):g}), so more of them hardly "
        "raise A."
    )
    if kind not in _WITH_LENGTHS:
        return said
    return f"{said} The similarity laplacian:0.5median tells them apart."
