"""Distances between many pairs of elements at once: exact for bytes, safe for floats."""
