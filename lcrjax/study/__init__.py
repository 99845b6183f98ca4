"""From datasets to a table of diversity and performance, and to what it says."""

from lcrjax.study.subsets import design_subsets

__all__ = ["design_subsets"]
