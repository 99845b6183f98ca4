"""Pairs of subsets of one dataset, and means over them with bootstrap intervals."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

#: Of each dataset a number for every ordered pair of its n rows.
Matrices = Sequence[Shaped[np.ndarray, "_ _"]]
_TAILS = (0.025, 0.975)


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows of one dataset, ordered: each counts in both orders.

    Attributes:
        datasets: Names of the datasets.
        rows: Of each, its rows.
        counted: Of each, which pairs of its rows count.
    """

    datasets: tuple[str, ...]
    rows: tuple[Int[np.ndarray, " _"], ...]
    counted: tuple[Bool[np.ndarray, "_ _"], ...]

    @classmethod
    def of(
        cls, datasets: Shaped[np.ndarray, " r"], sizes: Shaped[np.ndarray, " r"] | None = None
    ) -> "Pairs":
        """Pair the rows of each dataset; those of one size only, where sizes are given."""
        names = np.unique(datasets)
        rows = [np.flatnonzero(datasets == name) for name in names]
        counted = []
        for mine in rows:
            same = ~np.eye(len(mine), dtype=bool)
            if sizes is not None:
                same &= sizes[mine, None] == sizes[mine]
            counted.append(same)
        return cls(tuple(map(str, names)), tuple(rows), tuple(counted))

    def among(self, wanted: Matrices) -> "Pairs":
        """Count those pairs only that are wanted, too."""
        counted = [a & b for a, b in zip(self.counted, wanted, strict=True)]
        return dataclasses.replace(self, counted=tuple(counted))

    def differences(self, values: Float[np.ndarray, " r"]) -> tuple[Float[np.ndarray, "_ _"], ...]:
        """Of each dataset, the second row's value minus the first's."""
        return tuple(values[mine] - values[mine, None] for mine in self.rows)

    def listed(self, matrices: Matrices) -> Shaped[np.ndarray, " p"]:
        """What matrices hold of the counted pairs, each pair in one order."""
        kept = [m[np.triu(c)] for m, c in zip(matrices, self.counted, strict=True)]
        return np.concatenate(kept)

    def sums(self, matrices: Matrices) -> Float[np.ndarray, " d"]:
        """Sum over the counted ordered pairs of each dataset."""
        return np.array([m[c].sum() for m, c in zip(matrices, self.counted, strict=True)])

    def mean(self, matrices: Matrices) -> float:
        """Mean over all counted pairs; NaN where there are none."""
        counts = np.sum([c.sum() for c in self.counted])
        return float(self.sums(matrices).sum() / counts) if counts else np.nan


@dataclasses.dataclass(frozen=True)
class PairBootstrap:
    """Bootstrap of ratios of sums over pairs, over subsets and over datasets.

    Over subsets, rows are drawn with replacement within each dataset; a pair counts as often as
    both of its rows were drawn, and a row is no pair with itself. Over datasets, whole datasets are
    drawn. What pairs hold stays as it is: nothing is fitted again.

    Attributes:
        pairs: The pairs.
        resamples: Number of resamples.
        seed: The same seed gives the same resamples.
    """

    pairs: Pairs
    resamples: int = 1000
    seed: int = 0

    @functools.cached_property
    def _weights(self) -> tuple[list[np.ndarray], np.ndarray]:
        rng = np.random.default_rng(self.seed)

        def draws(n: int) -> np.ndarray:
            return rng.multinomial(n, np.full(n, 1 / n), self.resamples).astype(float)

        return [draws(len(rows)) for rows in self.pairs.rows], draws(len(self.pairs.rows))

    def intervals(self, over: Matrices, under: Matrices | None = None) -> dict[str, float]:
        """Intervals (95 %) of the sum of one thing over that of another; of a mean without it.

        Returns:
            `lower_subsets`, `upper_subsets`, `lower_datasets` and `upper_datasets`.
        """
        counted = self.pairs.counted
        tops = [np.where(c, m, 0.0) for m, c in zip(over, counted, strict=True)]
        downs = [np.where(c, m, 0.0) for m, c in zip(under or counted, counted, strict=True)]
        by_row, by_dataset = self._weights
        a, b = (
            sum(np.einsum("rn,rn->r", w @ m, w) for w, m in zip(by_row, part, strict=True))
            for part in (tops, downs)
        )
        c, d = (by_dataset @ [m.sum() for m in part] for part in (tops, downs))
        found: dict[str, float] = {}
        for name, x, y in (("subsets", a, b), ("datasets", c, d)):
            ratios = np.divide(x, y, out=np.full(len(x), np.nan), where=y > 0)
            ends = np.nanquantile(ratios, _TAILS) if (y > 0).any() else (np.nan, np.nan)
            found |= {f"lower_{name}": float(ends[0]), f"upper_{name}": float(ends[1])}
        return found
