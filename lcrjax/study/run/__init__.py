"""Run of a study from a plan to a table, resumably."""
