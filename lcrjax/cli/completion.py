"""Values of options that a shell completes, from the lists of words that the library reads."""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator

_ORDERS = ("0", "1", "2", "inf")


def words_of(module: str, name: str) -> Callable[[str], list[str]]:
    """What completes an option's value, for typer's `autocompletion`.

    Args:
        module: Where the words are; imported when a shell asks.
        name: What they are called there: a list of words, or a mapping from them. A word may have
            the form `gaussian:LENGTH`, `rmsd[:SCALE]` or `A_Q`.
    """

    def complete(incomplete: str) -> list[str]:
        words = getattr(importlib.import_module(module), name)
        return [word for word in _beginnings(words) if word.startswith(incomplete)]

    return complete


def _beginnings(forms: Iterable[str]) -> Iterator[str]:
    """What can be typed of each form: all before the part that the user chooses."""
    for form in forms:
        word = re.sub(r":[A-Z]+$", ":", form.partition("[")[0])
        orders = _ORDERS if word.endswith("_Q") else ("",)
        yield from (word.removesuffix("Q") + order for order in orders)


SIMILARITIES = words_of("lcrjax.similarity.spec", "FORMS")
TARGETS = words_of("lcrjax.study.columns", "TARGETS")
