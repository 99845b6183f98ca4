"""Weights of labelled elements without their table: one in the column of an element's class."""

import dataclasses
import zlib
from typing import Any

import numpy as np
from jaxtyping import Float, Int


@dataclasses.dataclass(frozen=True, eq=False)
class Indicators:
    """The table (n, k) of weights of n elements in k classes, made of some elements at a time.

    Attributes:
        classes: Class of each element, 0 to k - 1.
        count: k.
        dtype: Of the weights.
    """

    classes: Int[np.ndarray, " n"]
    count: int
    dtype: Any

    @property
    def shape(self) -> tuple[int, int]:
        """(n, k)."""
        return len(self.classes), self.count

    def __len__(self) -> int:
        """Number of elements."""
        return len(self.classes)

    def __getitem__(self, which: Any) -> Float[np.ndarray, "m k"]:
        """Weights of some elements, by a slice or their places."""
        kinds = np.arange(self.count, dtype=self.classes.dtype)
        return (self.classes[which][:, None] == kinds).astype(self.dtype)

    @property
    def checksum(self) -> int:
        """Of all weights."""
        return zlib.crc32(np.ascontiguousarray(self.classes).data)
