"""What a table says: regressions, searches, intervals."""
