"""Elements that a kernel keeps packed, for whoever asks for few rows of Z at a time."""

import ctypes
import weakref

import numpy as np
from jaxtyping import Float, Int, Num

from lcrjax.native import function, threads
from lcrjax.native.calls import CANCELLED, FORMS, SOON, checked
from lcrjax.native.interrupts import interruptible

_PANEL = 32  # columns of a panel: floors and weights are read to the end of the last one


class PackedPool:
    """n elements packed for the kernels, as long as it lives.

    Args:
        elements: uint8, or float32 and finite.
        form: One of `FORMS`.
        rate: The form's.

    Raises:
        ValueError: If elements are anything else.
        RuntimeError: If kernels are not available.
        MemoryError: If there is no memory for the packed elements.
    """

    def __init__(self, elements: Num[np.ndarray, "n d"], form: str, rate: float) -> None:
        self._elements = checked(elements)
        self._n, self._d = self._elements.shape
        new = function("pool_new")
        new.restype = ctypes.c_void_p
        self._pool = new(
            ctypes.c_int(self._elements.dtype != np.uint8),
            ctypes.c_void_p(self._elements.ctypes.data),
            ctypes.c_int64(self._n),
            ctypes.c_int64(self._d),
            ctypes.c_int(FORMS.index(form)),
            ctypes.c_float(rate),
            ctypes.c_int(threads()),
        )
        if self._pool is None:
            raise MemoryError(f"no memory for a packed copy of {self._n:,} elements")
        weakref.finalize(self, function("pool_free"), ctypes.c_void_p(self._pool))

    def rows(self, index: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Similarities of some elements to all, float32.

        Raises:
            IndexError: If a place is none of an element.
            KeyboardInterrupt: If Ctrl-C was heard.
        """
        out = np.empty((len(index), self._n), np.float32)
        self._call(index, out, None, None, None)
        return out

    def gains(
        self,
        index: Int[np.ndarray, " k"],
        floor: Float[np.ndarray, " n"],
        weights: Float[np.ndarray, " n"],
    ) -> Float[np.ndarray, " k"]:
        r"""$\sum_j w_j \max(Z_{ij} - f_j, 0)$ for some elements i, float64, without their rows.

        Raises:
            ValueError: If there is not one floor and one weight for each element.
            IndexError: If a place is none of an element.
            KeyboardInterrupt: If Ctrl-C was heard.
        """
        _check_lengths(self._n, floor, weights)
        out = np.empty(len(index), np.float64)
        beyond = -self._n % _PANEL
        padded = [np.pad(x.astype(np.float32), (0, beyond)) for x in (floor, weights)]
        self._call(index, None, out, *padded)
        return out

    def above(
        self, index: Int[np.ndarray, " k"], floor: Float[np.ndarray, " k"]
    ) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " s"], Float[np.ndarray, " s"]]:
        """Who is more similar to some elements than their floors.

        Returns:
            How many each has; their places, int32, and similarities, one element after another.

        Raises:
            ValueError: If there is not one floor for each place.
            IndexError: If a place is none of an element.
            KeyboardInterrupt: If Ctrl-C was heard.
        """
        _check_lengths(len(index), floor)
        rows = self.rows(index)
        counts, places = np.empty(len(rows), np.int64), np.empty(rows.shape, np.int32)
        values, least = np.empty_like(rows), np.ascontiguousarray(floor, np.float32)
        function("above_now")(
            *(ctypes.c_void_p(rows.ctypes.data), ctypes.c_int64(len(rows))),
            *(ctypes.c_int64(self._n), ctypes.c_void_p(least.ctypes.data)),
            *(ctypes.c_void_p(x.ctypes.data) for x in (counts, places, values)),
            ctypes.c_int(threads()),
        )
        ends = counts.tolist()
        who, z = (np.concatenate([x[r, :m] for r, m in enumerate(ends)]) for x in (places, values))
        return counts, who, z

    def _call(self, index: Int[np.ndarray, " k"], *arrays: np.ndarray | None) -> None:
        if len(index) and not 0 <= index.min() <= index.max() < self._n:
            raise IndexError(f"elements have places 0 to {self._n - 1}")
        which = np.ascontiguousarray(index, np.int32)
        rows, gains, floor, weights = (
            ctypes.c_void_p(None if x is None else x.ctypes.data) for x in arrays
        )

        def call() -> int:
            return function("pool_now")(
                ctypes.c_void_p(self._pool), ctypes.c_void_p(which.ctypes.data),
                ctypes.c_int64(len(which)), rows, gains, floor, weights,
                ctypes.c_int(threads()),
            )  # fmt: skip

        soon = len(which) * self._n * self._d < SOON
        outcome = call() if soon else interruptible(call)
        if outcome == CANCELLED:
            raise KeyboardInterrupt
        if outcome:
            raise MemoryError(f"no memory to compare {len(which):,} elements with the others")


def _check_lengths(count: int, *given: np.ndarray) -> None:
    shapes = [x.shape for x in given if x.shape != (count,)]
    if shapes:
        raise ValueError(f"kernels are given shape {shapes[0]}: give one number each, ({count},)")
