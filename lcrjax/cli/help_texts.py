"""Help texts of arguments and options that several commands share."""

from lcrjax.data.sources import SOURCES
from lcrjax.similarity.spec import FORMS

DATA_HELP = f"What to load: {'; '.join(kind.called for kind in SOURCES)}."
SIMILARITY_HELP = f"How alike two images are: {', '.join(FORMS)}."
RESIZE_HELP = "Resize all images to this many pixels on each side first."
