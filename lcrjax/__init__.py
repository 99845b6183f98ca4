"""Similarity-sensitive diversity of labelled image datasets."""

from lcrjax.power_mean import power_mean

__all__ = ["power_mean"]
__version__ = "0.1.0"
