"""Pages: a dataset or a study in one HTML file that needs no network."""
