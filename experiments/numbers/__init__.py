"""Numbers in README and documentation: recomputed, or listed with where they are from."""
