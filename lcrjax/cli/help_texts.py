"""Help texts of arguments and options that several commands share."""

from collections.abc import Mapping

from lcrjax.data.sources import SOURCES
from lcrjax.selection.scale import CHOOSING
from lcrjax.similarity.spec import FORMS, USUAL

DATA_HELP = f"What to load: {'; '.join(kind.called for kind in SOURCES)}."


def _similarity_help(usual: Mapping[str, str]) -> str:
    return (
        f"How alike two elements are: {', '.join(FORMS)}; a LENGTH may be median or 0.5median. "
        f"By default {', '.join(f'{word} of {kind}' for kind, word in usual.items())}."
    )


SIMILARITY_HELP = _similarity_help(USUAL)
SIMILARITY_TO_CHOOSE_HELP = _similarity_help(CHOOSING)
RESIZE_HELP = "Resize all images to this many pixels on each side first."
