"""What two datasets have in common and what not, and which is the better: a comparison's result."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.result import Diversity
from lcrjax.selection.sides import Side
from lcrjax.similarity.base import Similarity

if TYPE_CHECKING:
    import pandas as pd


class Row(NamedTuple):
    """One number of both sides.

    Attributes:
        part: "measure", of each side alone; "between", of each as seen from the other; "target", of
            how well each represents the target. See `compare` for the names in them.
        level: "dataset", or the name of a class that both have.
        name: What it is.
        q: Viewpoint; None where there is none.
        a: Of the first side.
        b: Of the second.
        difference: b - a.
        lower: The lower end of the difference's interval; None where it was not estimated.
        upper: The upper end.
    """

    part: str
    level: str
    name: str
    q: float | None
    a: float
    b: float
    difference: float
    lower: float | None = None
    upper: float | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class NearPairs:
    """Near-duplicates between two sides, the closest first.

    Attributes:
        threshold: Distance up to which two elements are near: RMSD of images and vectors, the share
            of characters to edit of texts, 1 minus Gower's similarity of rows.
        first: Places in the first side.
        second: Places in the second.
        distance: How far they are apart.
        across: Whether they carry different labels.
    """

    threshold: float
    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    distance: Float[np.ndarray, " p"]
    across: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which of two datasets is predicted to make the better model.

    Attributes:
        better: Name of the side; None where it is not known, or both are as likely.
        probability: That this side makes the better model, from 1/2 to 1; None where not known.
        said: The same in a sentence.
    """

    better: str | None
    probability: float | None
    said: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two datasets side by side.

    Attributes:
        a: The first.
        b: The second.
        target: What models are to be good at; None where it was not given.
        similarity: By which diversities are measured.
        similarity_said: What that is, in words.
        closeness: By which the most similar elements are found and the target is represented.
        closeness_said: What that is.
        diversity: Of a and of b.
        rows: Every number of both sides with its difference.
        near: Near-duplicates between a and b.
        verdict: Which makes the better model.
        notes: What differs, was left out or estimated, in sentences.
    """

    a: Side
    b: Side
    target: Side | None
    similarity: Similarity
    similarity_said: str
    closeness: Similarity
    closeness_said: str
    diversity: tuple[Diversity, Diversity]
    rows: tuple[Row, ...]
    near: NearPairs
    verdict: Verdict
    notes: tuple[str, ...]

    def row(self, name: str, q: float | int | None = None, level: str = "dataset") -> Row:
        """Find one number.

        Raises:
            ValueError: If there is none of this name, viewpoint and level.
        """
        for row in self.rows:
            if (row.name, row.q, row.level) == (name, q, level):
                return row
        known = ", ".join(dict.fromkeys(row.name for row in self.rows))
        raise ValueError(f"there is no {name!r} at q = {q} of {level!r}: known are {known}")

    def to_frame(self) -> "pd.DataFrame":
        """Make a table of the rows, with the columns that `Row` has."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(Row._fields))
        numbers = ["q", "a", "b", "difference", "lower", "upper"]
        return frame.astype(dict.fromkeys(numbers, "float64"))

    def __repr__(self) -> str:
        """The datasets, their numbers as a whole, and the verdict."""
        sizes = (f"{side.name} ({len(side):,})" for side in (self.a, self.b))
        shown = self.to_frame()
        shown = shown[shown["level"] == "dataset"].drop(columns=["level", "part"])
        text = shown.to_string(index=False, na_rep="", float_format="{:.4g}".format)
        return "\n".join([f"Comparison of {' and '.join(sizes)}", text, self.verdict.said])


class NotPredictableError(ValueError):
    """A predictor cannot judge two datasets; the message says why, as the end of a sentence."""


@runtime_checkable
class Predictor(Protocol):
    """What predicts from a comparison which side makes the better model: one method.

    Where it has another, `remark(comparison)`, that gives sentences to add to the verdict.
    """

    def probability(self, comparison: Comparison) -> float:
        """Probability that a model trained on b is better than one trained on a.

        Args:
            comparison: Everything that was compared; its verdict is not known yet. Elements and
                labels are those of `comparison.a` and `comparison.b`.

        Returns:
            A number from 0 to 1.

        Raises:
            NotPredictableError: If it cannot say; the verdict is then that it is not known.
        """


def not_known(why: str) -> Verdict:
    """A verdict that there is none."""
    return Verdict(None, None, f"Which makes the better model is not known: {why}.")


def judge(comparison: Comparison, predictor: Any) -> Comparison:
    """Ask a predictor for its verdict.

    Raises:
        ValueError: If it gives no probability.
    """
    try:
        chance = float(predictor.probability(comparison))
    except NotPredictableError as why:
        return dataclasses.replace(comparison, verdict=not_known(str(why)))
    if not 0 <= chance <= 1:
        raise ValueError(f"the predictor gives {chance}: its probability must lie from 0 to 1")
    side = comparison.b if chance > 0.5 else comparison.a
    better, more = side.name, max(chance, 1 - chance)
    if math.isclose(chance, 0.5):
        verdict = Verdict(None, 0.5, "Both are predicted to make equally good models.")
    else:
        said = f"{better} is predicted to make the better model, with a probability of {more:.0%}."
        verdict = Verdict(better, more, said.replace("%", " %"))
    if callable(remark := getattr(predictor, "remark", None)):
        said = f"{verdict.said} {remark(comparison)}"
        verdict = dataclasses.replace(verdict, said=said)
    return dataclasses.replace(comparison, verdict=verdict)
