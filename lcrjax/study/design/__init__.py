"""What a study consists of: subsets, sizes, settings."""
