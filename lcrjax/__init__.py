"""Similarity-sensitive diversity of labelled image datasets."""

__version__ = "0.1.0"
