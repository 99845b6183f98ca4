"""All pairs in bounded memory: ordinariness, nearest neighbours, near-duplicates."""
