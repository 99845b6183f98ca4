"""Known word that a user may have meant."""

import difflib
from collections.abc import Iterable


def nearest(word: object, known: Iterable[object]) -> str:
    """Say which known word is nearest, or which there are: the end of an error's sentence."""
    names = [str(name) for name in known]
    near = difflib.get_close_matches(str(word), names, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
