"""Design of a study: subsets, sizes, settings."""
