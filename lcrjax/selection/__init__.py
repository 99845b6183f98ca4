"""Which elements to choose, what each of them adds, and the most diverse mixture of them."""

from lcrjax.selection.choosing import select
from lcrjax.selection.outcome import Selection

__all__ = ["Selection", "select"]
