"""Figures and tables of a study."""

from lcrjax.report.tables import notes, print_rankings, rankings

__all__ = ["notes", "print_rankings", "rankings"]
