"""Choosing one by one, lazily, and exchange of what was chosen."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int

from lcrjax.selection.objectives.base import Course, Draw

_AT_ONCE = 8  # stale gains that are made exact together
_SOON = 32  # those that will be next
_LEAST_GAIN = 1e-9
_ROUNDS = 5


def choose(
    course: Course,
    count: int,
    open_to: Callable[[], Bool[np.ndarray, " n"]],
    taken: Callable[[int], None],
    draw: Draw | None = None,
) -> tuple[list[int], list[float]]:
    """Choose as many elements, each the best for the objective with those before it.

    Gains that are not exact are bounds: the best is known once the largest of all is exact.

    Args:
        course: The objective's, to which what is given was added.
        count: How many.
        open_to: Says which elements may be chosen next.
        taken: Called with each.
        draw: Leaves some of those that may be chosen, where not all gains are exact.

    Returns:
        Elements in their order, and the objective after each.
    """
    chosen: list[int] = []
    values: list[float] = []
    while len(chosen) < count:
        allowed = open_to()
        if draw is not None and not course.fresh.all():
            allowed = draw(allowed)
        while True:
            gains = np.where(allowed, course.gains, -np.inf)
            best = int(np.argmax(gains))
            if course.fresh[best]:
                break
            stale = np.flatnonzero(allowed & ~course.fresh)
            few = min(_SOON, len(stale))
            soon = stale[np.argpartition(-gains[stale], few - 1)[:few]]
            soon = soon[np.argsort(-gains[soon], kind="stable")]
            course.refine(soon[:_AT_ONCE], soon)
        course.add(best)
        taken(best)
        chosen.append(best)
        values.append(course.value)
    return chosen, values


def exchange(
    course: Course, chosen: list[int], free: Bool[np.ndarray, " n"], groups: Int[np.ndarray, " n"]
) -> list[int]:
    """Exchange each chosen element for the best of its group, until none makes it better.

    Args:
        course: The objective's, to which the chosen were added.
        chosen: Elements that may be exchanged.
        free: Which others may come in.
        groups: Within which elements are exchanged.

    Returns:
        Elements that are chosen now, in no order.
    """
    chosen, free = list(chosen), free.copy()
    for _ in range(_ROUNDS):
        moved = False
        for place, old in enumerate(chosen):
            before = course.value
            course.remove(old)
            may = free & (groups == groups[old])
            may[old] = True
            new = int(np.argmax(np.where(may, course.gains, -np.inf)))
            course.add(new)
            if new != old and not course.value > before + _LEAST_GAIN * abs(before):
                course.remove(new)
                course.add(old)
            elif new != old:
                free[old], free[new] = True, False
                chosen[place], moved = new, True
        if not moved:
            break
    return chosen
