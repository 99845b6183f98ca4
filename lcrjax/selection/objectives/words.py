"""Objectives written in a word, such as `herding` or `A_0:0.2`."""

import difflib
from collections.abc import Callable
from typing import Any

from lcrjax.selection.objectives.base import Objective
from lcrjax.selection.objectives.coverage import Coverage
from lcrjax.selection.objectives.facility_location import FacilityLocation
from lcrjax.selection.objectives.herding import Herding
from lcrjax.selection.objectives.k_centre import KCentre
from lcrjax.selection.objectives.most_diverse_set import Alpha, Gamma
from lcrjax.selection.objectives.random_choice import RandomChoice

#: How each is written; what is in brackets may be left out. Q is 0, 1, 2, inf or another number.
WORDS: dict[str, Callable[[], Objective]] = {
    "auto": Herding,
    "herding": Herding,
    "facility-location[:EPSILON]": FacilityLocation,
    "coverage[:Q]": Coverage,
    "k-centre": KCentre,
    "A_Q[:FLOOR]": Alpha,
    "G_Q[:FLOOR]": Gamma,
    "random": RandomChoice,
}


def as_objective(objective: Any, seed: int = 0) -> Objective:
    """Take an objective, or read it from a word.

    Args:
        objective: An `Objective`, or a word of `WORDS`: `A_0:0.2` is A at q = 0 among all but the
            fifth of the elements that is least ordinary in its class.
        seed: Of random choices.

    Raises:
        ValueError: If there is no such objective (the nearest and all are named), or its number is
            none.
    """
    if isinstance(objective, Objective):
        return objective
    word, _, number = str(objective).strip().partition(":")
    try:
        if word == "random" and not number:
            return RandomChoice(seed)
        if word[:2] in ("A_", "G_"):
            make = Alpha if word[0] == "A" else Gamma
            return make(float(word[2:]), float(number) if number else 0.0)
        if word == "facility-location":
            return FacilityLocation(float(number) if number else 0.0, seed)
        if word == "coverage":
            return Coverage(float(number) if number else 1.0)
    except ValueError as error:
        raise ValueError(f"the objective is {objective!r}: {error}") from error
    if word in WORDS and not number:
        return WORDS[word]()
    known = {name.lower(): name for name in ("A_0", "G_0", *WORDS)}
    near = difflib.get_close_matches(word.lower(), known, n=1)
    hint = f"did you mean {known[near[0]]!r}? " if near else ""
    raise ValueError(f"there is no objective {objective!r}: {hint}known are {', '.join(WORDS)}")
