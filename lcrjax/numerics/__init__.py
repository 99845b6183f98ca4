"""Numbers and arrays: weighted power means, pytrees, tables that people have."""
