"""What is wrong on a page, and which of its numbers are recomputed, measured once or given."""

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator

from experiments.numbers import (
    curation,
    measures,
    panel,
    performance,
    predicting,
    reproducing,
    training,
    yardsticks,
)
from experiments.numbers.listed import EVERYWHERE, GIVEN, MEASURED
from experiments.numbers.pages import Span, inside, numbers, pattern, prose

#: By page, what yields its pieces with their numbers recomputed.
RECOMPUTED: dict[str, Callable[[], Iterator[str]]] = {
    "README.md": lambda: itertools.chain(
        panel.readme(),
        predicting.readme(),
        predicting.readme_of_diversity(),
        predicting.readme_of_the_ceiling(),
    ),
    "predicting.md": lambda: itertools.chain(
        predicting.predicting(), predicting.diversity_alone(), predicting.the_ceiling()
    ),
    "two-datasets.md": predicting.two_datasets,
    "index.md": measures.index,
    "curation.md": curation.curation,
    "yardsticks.md": yardsticks.yardsticks,
    "embeddings.md": measures.embeddings,
    "tutorial.md": measures.tutorial,
    "measures.md": measures.measures,
    "panel.md": lambda: itertools.chain(panel.panel_page(), predicting.beside_the_baselines()),
    "training.md": training.training,
    "training-notes.md": training.training_notes,
    "performance.md": performance.performance,
    "statistics.md": measures.statistics,
    "reproducing.md": reproducing.reproducing,
}


@dataclasses.dataclass
class Checked:
    """Numbers of a page by where they are from, and what is wrong with it."""

    recomputed: set[Span]
    given: set[Span]
    measured: set[Span]
    unlisted: set[Span]
    wrong: list[str]


def check(page: str, text: str | None = None) -> Checked:
    """Compare a page, or a `text` in its place, with its recomputed and listed numbers."""
    text = prose(page) if text is None else text
    pieces = list(RECOMPUTED.get(page, lambda: iter(()))())
    given, measured = GIVEN.get(page, ()), list(MEASURED.get(page, ()))
    left, kinds = set(numbers(text)), []
    for patterns in (
        [pattern(piece) for piece in pieces],
        [*EVERYWHERE, *map(pattern, given)],
        [pattern(piece) for piece in measured],
    ):
        kinds.append(inside(text, patterns) & left)
        left -= kinds[-1]
    wrong = [
        f"{page} does not say (any more): {piece}"
        for piece in (*pieces, *given, *measured)
        if not re.search(pattern(piece), text)
    ]
    wrong += [
        f"{page} says {text[start:end]}, neither recomputed nor listed: "
        f"…{text[max(0, start - 50) : end + 20]}…"
        for start, end in sorted(left)
    ]
    return Checked(*kinds, left, wrong)
