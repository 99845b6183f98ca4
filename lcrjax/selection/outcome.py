"""What was chosen, and what that is worth."""

import dataclasses
import functools
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.labelled import measure
from lcrjax.measures.result import Diversity
from lcrjax.numerics.streams import Stream
from lcrjax.selection.objectives.base import Objective
from lcrjax.similarity import Precomputed
from lcrjax.similarity.base import Similarity, count_elements, pick


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """Elements chosen from a pool, in the order in which they were chosen.

    Attributes:
        indices: (size,) places in the pool. Each prefix is a selection itself, as balanced as its
            size allows.
        values: (size,) the objective after each, larger is better: with labels, the mean over the
            classes that have a chosen element by then, weighted as in the selection.
        counts: (C,) chosen elements of each class; None without labels.
        class_names: C names; None without labels.
        objective: What was aimed at.
        similarity: What was compared by.
        elements: The pool; a `lcrjax.Stream` of it, where it was read in blocks.
        labels: (n,) names of the pool's classes; None without labels.
        given: Elements that were there already; None if there were none.
    """

    indices: Int[np.ndarray, " size"]
    values: Float[np.ndarray, " size"]
    counts: Int[np.ndarray, " C"] | None
    class_names: tuple[str, ...] | None
    objective: Objective
    similarity: Similarity
    elements: Any
    labels: Any
    given: Any = None

    @functools.cached_property
    def before(self) -> Diversity:
        """Diversity of the pool, computed when it is asked for: from all pairs."""
        labels = self.labels
        if labels is None:
            labels = np.array(["all"] * count_elements(self.similarity, self.elements))
        return measure(self.elements, labels, similarity=self.similarity)

    @functools.cached_property
    def after(self) -> Diversity:
        """Diversity of what was chosen."""
        index, similarity = self.indices, self.similarity
        if isinstance(similarity, Precomputed):
            similarity = Precomputed(np.asarray(similarity.matrix)[np.ix_(index, index)])
        labels = np.array(["all"] * len(index)) if self.labels is None else self.labels[index]
        elements = self.elements
        chosen = elements.take(index) if isinstance(elements, Stream) else pick(elements, index)
        return measure(chosen, labels, similarity=similarity)

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        value = f", {self.objective}: {self.values[-1]:.4g}" if len(self) else ""
        return f"Selection of {len(self)}{value}"
