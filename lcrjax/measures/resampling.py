"""Diversity of datasets drawn from a dataset: intervals, and comparison at one size.

Resampled counts are weights: elements stay as they are, and one product of Z with a table weighs
many draws at once.
"""

import dataclasses
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.family import MEASURES, family_of, members_of_tables
from lcrjax.measures.result import Diversity
from lcrjax.measures.result_tables import SIGNED, Table, numbers_and_logs, table_result
from lcrjax.measures.samples import check_resampling, whole_numbers
from lcrjax.numerics.progress import part
from lcrjax.numerics.whole_numbers import check_whole

_NUMBERS_AT_ONCE = 2**24  # of a table of weights

DrawnTables = Float[np.ndarray, "B rows Q columns"]


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    """Intervals for the diversity of the source that a dataset is a sample of.

    As many individuals as there are are drawn again, with replacement. A draw holds fewer distinct
    elements than the dataset, so its diversity lies below the dataset's, as the dataset's lies
    below that of its source. Intervals are therefore centred (basic): in logs, 2 H - H* for the
    quantiles H* of the draws, which turns that bias round and does not repeat it, as percentiles
    would. They suit similarities that vary smoothly between elements. Elements that nobody has
    seen are not in them: for Hill numbers near q = 0 use `lcrjax.rarefy`.

    Attributes:
        count: Draws.
        level: Confidence level of the intervals.
        seed: Of the random numbers.
        within_classes: Draw from each class as many as it has, so that class weights stay what they
            are, as where the classes' sizes were chosen; else from the whole dataset, where a small
            class may vanish, which then counts in no draw that lacks it.

    Raises:
        ValueError: If there are fewer than two draws, or the level is not between 0 and 1.
    """

    count: int = 200
    level: float = 0.95
    seed: int = 0
    within_classes: bool = True

    def __post_init__(self) -> None:
        """Check what is given."""
        check_resampling(self.count, self.level, self.seed)

    def draws(self, counts: Int[np.ndarray, "S C"]) -> Iterator[Int[np.ndarray, "S C"]]:
        """Tables of counts."""
        rng = np.random.default_rng(self.seed)
        columns = counts if self.within_classes else counts.reshape(-1, 1)
        present = [np.flatnonzero(column) for column in columns.T]
        for _ in range(self.count):
            drawn = np.zeros_like(columns)
            for j, rows in enumerate(present):
                own = columns[rows, j]
                if own.size:
                    drawn[rows, j] = rng.multinomial(own.sum(), own / own.sum())
            yield drawn.reshape(counts.shape)

    def summary(self, own: Table, drawn: DrawnTables) -> tuple[Table, Table, Table]:
        """The dataset's own numbers, or logs, with centred intervals."""
        low, high = _quantiles(drawn, self.level)
        return own, 2 * own - high, 2 * own - low


@dataclasses.dataclass(frozen=True)
class Subsets:
    """Diversity at a smaller size: that of random subsets of a dataset, to compare it with others.

    Subsets are drawn without replacement, from the whole dataset. Results are means over them (of
    logs, but of rho_hat and beta_hat as they are), intervals the subsets' own quantiles, and
    standard errors their standard deviations: a mean is known to that over the root of the count. A
    class that a subset lacks does not count in it.

    Attributes:
        size: Individuals in a subset.
        count: Subsets.
        level: Share of the subsets that an interval holds.
        seed: Of the random numbers.

    Raises:
        ValueError: If there are fewer than two subsets, the size is below 1, or the level is not
            between 0 and 1.
    """

    size: int
    count: int = 100
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what is given."""
        check_resampling(self.count, self.level, self.seed)
        check_whole("the size", self.size, 1, "give at least one individual")

    def draws(self, counts: Int[np.ndarray, "S C"]) -> Iterator[Int[np.ndarray, "S C"]]:
        """Tables of counts."""
        n = int(counts.sum())
        if self.size > n:
            raise ValueError(f"the size is {self.size}, but there are {n} individuals: give fewer")
        rng = np.random.default_rng(self.seed)
        flat = counts.ravel()
        present = np.flatnonzero(flat)
        for _ in range(self.count):
            drawn = np.zeros_like(flat)
            drawn[present] = rng.multivariate_hypergeometric(
                flat[present], self.size, method="marginals"
            )
            yield drawn.reshape(counts.shape)

    def summary(self, own: Table, drawn: DrawnTables) -> tuple[Table, Table, Table]:
        """Means over the subsets of numbers, or logs, with the subsets' quantiles."""
        return np.nanmean(drawn, axis=0), *_quantiles(drawn, self.level)


Resampling = Bootstrap | Subsets


def resampled(
    own: Diversity, counts: Any, weigh: Callable[[Any], Any], resampling: Resampling
) -> Diversity:
    """Add to a measurement what draws from its dataset say.

    Args:
        own: The dataset's diversity.
        counts: Its counts, (S, C).
        weigh: Ordinariness, (S, k), of elements weighted by the columns of a table (S, k).
        resampling: What to draw.

    Returns:
        `own`, or means over draws, with standard errors and the ends of intervals.

    Raises:
        ValueError: If counts are no whole numbers, or fewer than a subset is to have.
    """
    numbers, logs = drawn(own, counts, weigh, resampling)
    mixed = np.where(SIGNED, numbers, logs)  # what intervals are made of
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a class that no draw has is NaN
        centre, lower, upper = (
            numbers_and_logs(x) for x in resampling.summary(_own_table(own), mixed)
        )
        errors = tuple(np.nanstd(table, axis=0, ddof=1) for table in (numbers, logs))
    return dataclasses.replace(
        own if isinstance(resampling, Bootstrap) else table_result(own.q, own.class_names, *centre),
        standard_error=table_result(own.q, own.class_names, *errors),
        lower=table_result(own.q, own.class_names, *lower),
        upper=table_result(own.q, own.class_names, *upper),
    )


def drawn(
    own: Diversity, counts: Any, weigh: Callable[[Any], Any], resampling: Resampling
) -> tuple[DrawnTables, DrawnTables]:
    """Measure every draw of `resampled`, which summarizes them.

    Returns:
        Numbers and logs, a row for each of `MEASURES` and the last for class balance, a column for
        the dataset and for each class; NaN for the classes that a draw lacks.

    Raises:
        ValueError: As `resampled`.
    """
    whole = whole_numbers(counts)
    draws, parts = resampling.draws(whole), []
    at_once = max(1, _NUMBERS_AT_ONCE // whole.size)
    done = 0
    while batch := list(itertools.islice(draws, at_once)):
        with part(done / resampling.count, (done + len(batch)) / resampling.count):
            parts.append(_measured(np.stack(batch), weigh, own))
        done += len(batch)
    numbers, logs = (np.concatenate(tables) for tables in zip(*parts, strict=True))
    return numbers, logs


def _measured(
    draws: Int[np.ndarray, "B S C"], weigh: Callable[[Any], Any], own: Diversity
) -> tuple[DrawnTables, DrawnTables]:
    """Numbers and logs of each draw; NaN for the classes that it lacks."""
    count, elements, n_classes = draws.shape
    shares = (draws / draws.sum(axis=(1, 2), keepdims=True)).astype(own.q.dtype)
    columns = shares.swapaxes(0, 1).reshape(elements, -1)
    weighed = np.asarray(weigh(columns)).reshape(elements, count, n_classes).swapaxes(0, 1)
    found = family_of(members_of_tables(draws, weighed), np.asarray(own.q, np.float64))
    present = draws.any(axis=1).ravel()

    def table(classes: np.ndarray, datasets: np.ndarray, balance: np.ndarray) -> np.ndarray:
        out = np.full((len(SIGNED), datasets.shape[1], count, 1 + n_classes), np.nan)
        out[:-1, :, :, 0], out[-1, :, :, 0] = datasets, balance
        spread = np.full((*classes.shape[:2], present.size), np.nan)
        spread[..., present] = classes
        out[:-1, :, :, 1:] = spread.reshape(*classes.shape[:2], count, n_classes)
        return out.transpose(2, 0, 1, 3)

    return (
        table(found.class_numbers, found.dataset_numbers, found.class_balance),
        table(found.class_entropies, found.dataset_entropies, np.log(found.class_balance)),
    )


def _own_table(own: Diversity) -> Table:
    """Logs of a diversity, but numbers where they are signed."""
    out = np.full((len(SIGNED), len(own.q), 1 + len(own.class_names)), np.nan)
    for i, (name, measure) in enumerate(MEASURES.items()):
        classes = own.class_level if measure.signed else own.class_entropy
        dataset = own.dataset_level if measure.signed else own.dataset_entropy
        out[i, :, 0], out[i, :, 1:] = np.asarray(dataset[name]), np.asarray(classes[name])
    out[-1, :, 0] = np.log(np.asarray(own.class_balance, np.float64))
    return out


def _quantiles(drawn: DrawnTables, level: float) -> tuple[Table, Table]:
    low, high = np.nanquantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)
    return low, high
