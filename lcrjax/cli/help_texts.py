"""Help texts of arguments and options that several commands share."""

from lcrjax.data.sources import SOURCES
from lcrjax.similarity.spec import FORMS, USUAL

DATA_HELP = f"What to load: {'; '.join(kind.called for kind in SOURCES)}."
SIMILARITY_HELP = (
    f"How alike two elements are: {', '.join(FORMS)}; a LENGTH may be median or 0.5median. "
    f"By default {', '.join(f'{word} of {kind}' for kind, word in USUAL.items())}."
)
RESIZE_HELP = "Resize all images to this many pixels on each side first."
